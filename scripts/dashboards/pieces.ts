/** What both dashboards are made of: panels in one style, cause colours and words, queries of the two data sources. */
import type * as cog from '@grafana/grafana-foundation-sdk/cog'
import * as common from '@grafana/grafana-foundation-sdk/common'
import {
  CustomVariableBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  DatasourceVariableBuilder,
  type DynamicConfigValue,
  MappingType,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type VariableOption,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { causes } from '../../src/classify/cause.ts'
import { causeName, colourOf } from '../../src/http/page/causes.ts'

/** Title, and a description that says what the numbers are and what to do with them. */
interface About {
  readonly title: string
  readonly description: string
  /** Columns of 24, and rows of some 30 pixels. */
  readonly width: number
  readonly height: number
}

const grey = '#8e8e8e'

export const prometheus: common.DataSourceRef = { type: 'prometheus', uid: '${prometheus}' }
export const clickhouse: common.DataSourceRef = { type: 'grafana-clickhouse-datasource', uid: '${clickhouse}' }

export function dashboard(about: {
  uid: string
  title: string
  description: string
  from: string
  refresh: string
}): DashboardBuilder {
  return new DashboardBuilder(about.title)
    .uid(about.uid)
    .description(about.description)
    .tags(['tollwatch'])
    .time({ from: about.from, to: 'now' })
    .refresh(about.refresh)
    .timezone('browser')
    .tooltip(DashboardCursorSync.Crosshair)
    .editable()
    .link(
      new DashboardLinkBuilder('Tollwatch page')
        .type(DashboardLinkType.Link)
        .url('${page}/')
        .targetBlank(true)
        .icon('external link'),
    )
    .link(
      new DashboardLinkBuilder('Tollwatch dashboards')
        .type(DashboardLinkType.Dashboards)
        .tags(['tollwatch'])
        .keepTime(true)
        .includeVars(true),
    )
}

/** One series of PromQL over the dashboard's time. */
export function promRange(refId: string, legend: string, expr: string): cog.Builder<cog.Dataquery> {
  return new DataqueryBuilder().refId(refId).expr(expr).legendFormat(legend).range()
}

/** PromQL at the end of the dashboard's time, as a table. */
export function promTable(refId: string, expr: string): cog.Builder<cog.Dataquery> {
  return new DataqueryBuilder().refId(refId).expr(expr).instant().format(PromQueryFormat.Table)
}

/** PromQL at the end of the dashboard's time, as one number. */
export function promNow(refId: string, expr: string): cog.Builder<cog.Dataquery> {
  return new DataqueryBuilder().refId(refId).expr(expr).instant()
}

/** The SDK has no builder for the ClickHouse plugin, so its query is written out. */
export function sql(refId: string, shape: 'timeseries' | 'table', rawSql: string): cog.Builder<cog.Dataquery> {
  const query = {
    refId,
    datasource: clickhouse,
    editorType: 'sql',
    queryType: shape,
    // The number is what the plugin's back end goes by.
    format: shape === 'timeseries' ? 0 : 1,
    pluginVersion: '4.10.2',
    rawSql: trimmed(rawSql),
    _implementsDataqueryVariant() {},
  }
  return { build: () => query }
}

/** Without the indentation of the source, so that people find readable SQL behind "Edit". */
function trimmed(text: string): string {
  const lines = text.replace(/^\n/, '').trimEnd().split('\n')
  const indent = Math.min(...lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(indent)).join('\n')
}

/** Lines over time. Missing data is a gap, never a zero. */
export function lines(about: About, unit: string): TimeseriesBuilder {
  return sized(new TimeseriesBuilder(), about)
    .unit(unit)
    .lineWidth(2)
    .fillOpacity(0)
    .showPoints(common.VisibilityMode.Auto)
    .spanNulls(false)
    .axisSoftMin(0)
    .legend(
      new common.VizLegendOptionsBuilder()
        .displayMode(common.LegendDisplayMode.List)
        .placement(common.LegendPlacement.Bottom)
        .showLegend(true)
        .calcs([]),
    )
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
}

/** Counts by cause as stacked columns, each cause in its colour. */
export function columnsByCause(about: About, unit: string): TimeseriesBuilder {
  const panel = lines(about, unit)
    .drawStyle(common.GraphDrawStyle.Bars)
    .lineWidth(0)
    .fillOpacity(90)
    .barWidthFactor(0.9)
    .stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'))
  for (const cause of causes) panel.overrideByRegexp(`/\\b${cause}\\b/`, causeLook(cause))
  return panel
}

function causeLook(cause: string): DynamicConfigValue[] {
  return [
    { id: 'color', value: { mode: 'fixed', fixedColor: colourOf(cause) } },
    { id: 'displayName', value: causeName(cause) },
  ]
}

/** A single number. `bad` is the value from which it turns red; without it the number stays plain. */
export function number(about: About, unit: string, bad?: number): StatBuilder {
  const steps = [{ value: null, color: grey }, ...(bad === undefined ? [] : [{ value: bad, color: '#CC3311' }])]
  return sized(new StatBuilder(), about)
    .unit(unit)
    .noValue('no data')
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
}

/** A table whose columns `cause`, `tenant` and `api` read and lead as everywhere else. */
export function table(about: About): TableBuilder {
  const names = Object.fromEntries(causes.map((cause) => [cause, { text: causeName(cause), color: colourOf(cause) }]))
  return sized(new TableBuilder(), about)
    .noValue('–')
    .overrideByName('cause', [
      { id: 'mappings', value: [{ type: MappingType.ValueToText, options: names }] },
      { id: 'custom.cellOptions', value: { type: 'color-text' } },
    ])
    .overrideByName('tenant', [link('Open on the page', '${page}/?tenant=${__value.raw:percentencode}')])
    .overrideByName('api', [
      link(
        'Open on the page',
        '${page}/?tenant=${__data.fields.tenant:percentencode}&api=${__value.raw:percentencode}',
      ),
    ])
}

function link(title: string, url: string): DynamicConfigValue {
  return { id: 'links', value: [{ title, url, targetBlank: true }] }
}

/** A column's unit; `percentunit` takes shares from 0 to 1. */
export function unitOf(unit: string, more: DynamicConfigValue[] = []): DynamicConfigValue[] {
  return [{ id: 'unit', value: unit }, ...more]
}

interface Sizable<Panel> {
  title(title: string): Panel
  description(description: string): Panel
  span(width: number): Panel
  height(height: number): Panel
}

function sized<Panel extends Sizable<Panel>>(panel: Panel, about: About): Panel {
  return panel.title(about.title).description(about.description).span(about.width).height(about.height)
}

export function datasource(name: string, type: string, label: string): DatasourceVariableBuilder {
  return new DatasourceVariableBuilder(name).label(label).type(type)
}

const all: VariableOption = { selected: true, text: ['All'], value: ['$__all'] }

/** Values that a query gives, several at a time, all by default. */
export function choice(
  name: string,
  source: common.DataSourceRef,
  query: string | Record<string, unknown>,
): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name === 'api' ? 'API' : name)
    .datasource(source)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(true)
    .includeAll(true)
    .current(all)
}

/** The closed list of causes. */
export function causeChoice(): CustomVariableBuilder {
  const options = causes.map((cause) => ({ selected: false, text: causeName(cause), value: cause }))
  return new CustomVariableBuilder('cause')
    .label('cause')
    .values(causes.map((cause) => `${causeName(cause)} : ${cause}`).join(', '))
    .options([{ selected: true, text: 'All', value: '$__all' }, ...options])
    .multi(true)
    .includeAll(true)
    .current(all)
}

/** One of a few words. */
export function oneOf(
  name: string,
  label: string,
  words: readonly (readonly [text: string, value: string])[],
  chosen: string,
): CustomVariableBuilder {
  const options = words.map(([text, value]) => ({ selected: value === chosen, text, value }))
  return new CustomVariableBuilder(name)
    .label(label)
    .values(words.map(([text, value]) => `${text} : ${value}`).join(', '))
    .options(options)
    .current(options.find(({ selected }) => selected) ?? all)
}

/** Where the links into Tollwatch's own page lead. */
export function pageAddress(): TextBoxVariableBuilder {
  const address = 'http://127.0.0.1:8402'
  return new TextBoxVariableBuilder('page')
    .label('Tollwatch page')
    .description('Where this browser reaches the page of Tollwatch; links lead there.')
    .defaultValue(address)
    .current({ selected: true, text: address, value: address })
    .options([{ selected: true, text: address, value: address }])
}
