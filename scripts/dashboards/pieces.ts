/** What the dashboards are made of: panels in one style, with the colours and words of causes and severities. */
import * as common from '@grafana/grafana-foundation-sdk/common'
import {
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type DynamicConfigValue,
  MappingType,
  ThresholdsConfigBuilder,
  ThresholdsMode,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { PanelBuilder as StatBuilder } from '@grafana/grafana-foundation-sdk/stat'
import { PanelBuilder as TableBuilder } from '@grafana/grafana-foundation-sdk/table'
import { PanelBuilder as TimeseriesBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { causes } from '../../src/classify/cause.ts'
import { causeName, colourOf } from '../../src/http/page/causes.ts'
import { type Board, cell, cellLinks, field, type PanelLink, toPage } from './links.ts'

/** Title, and a description that says what the numbers are and what to do with them. */
interface About {
  readonly title: string
  readonly description: string
  /** Columns of 24, and rows of some 30 pixels. */
  readonly width: number
  readonly height: number
}

export const grey = '#8e8e8e'
const red = '#CC3311'

/** A shape and a word as well as a colour. */
const severities = [
  ['page', '● page', red],
  ['ticket', '▲ ticket', '#EE7733'],
  ['info', '■ info', '#0072B2'],
] as const

export function dashboard(about: {
  uid: Board
  title: string
  description: string
  from: string
  refresh: string
}): DashboardBuilder {
  return (
    new DashboardBuilder(about.title)
      .uid(about.uid)
      .description(about.description)
      .tags(['tollwatch'])
      .time({ from: about.from, to: 'now' })
      .refresh(about.refresh)
      .timezone('browser')
      .tooltip(DashboardCursorSync.Crosshair)
      // The files are made from code: a change made in Grafana would be lost with the next version.
      .readonly()
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
  )
}

/** Lines over time. Missing data is a gap, never a zero. */
export function lines(about: About, unit: string): TimeseriesBuilder {
  return sized(new TimeseriesBuilder(), about)
    .unit(unit)
    .noValue('no data in this time')
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

/** Counts as stacked columns. */
export function columns(about: About, unit: string, stacked = common.StackingMode.Normal): TimeseriesBuilder {
  return lines(about, unit)
    .drawStyle(common.GraphDrawStyle.Bars)
    .lineWidth(0)
    .fillOpacity(90)
    .barWidthFactor(0.9)
    .stacking(new common.StackingConfigBuilder().mode(stacked).group('A'))
}

/** Counts by cause as stacked columns, each cause in its colour. */
export function columnsByCause(about: About, unit: string, stacked = common.StackingMode.Normal): TimeseriesBuilder {
  const panel = columns(about, unit, stacked)
  for (const cause of causes) {
    panel.overrideByRegexp(`/\\b${cause}\\b/`, [
      { id: 'color', value: { mode: 'fixed', fixedColor: colourOf(cause) } },
      { id: 'displayName', value: causeName(cause) },
    ])
  }
  return panel
}

/** Counts by severity as stacked columns. */
export function columnsBySeverity(about: About, unit: string): TimeseriesBuilder {
  const panel = columns(about, unit)
  for (const [severity, text, colour] of severities) {
    panel.overrideByRegexp(`/\\b${severity}\\b/`, [
      { id: 'color', value: { mode: 'fixed', fixedColor: colour } },
      { id: 'displayName', value: text },
    ])
  }
  return panel
}

/** A single number. `bad` is the value from which it turns red; without it the number stays plain. */
export function number(about: About, unit: string, bad?: number): StatBuilder {
  const steps = [{ value: null, color: grey }, ...(bad === undefined ? [] : [{ value: bad, color: red }])]
  return sized(new StatBuilder(), about)
    .unit(unit)
    .noValue('no data')
    .colorMode(common.BigValueColorMode.Value)
    .graphMode(common.BigValueGraphMode.None)
    .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false).fields(''))
    .thresholds(new ThresholdsConfigBuilder().mode(ThresholdsMode.Absolute).steps(steps))
}

/**
 * A table whose columns `cause`, `severity`, `tenant` and `api` read and lead as everywhere else.
 *
 * @param empty what is said instead of rows
 * @param links where a tenant leads, before the page
 */
export function table(about: About, empty: string, links: { tenant?: readonly PanelLink[] } = {}): TableBuilder {
  const names = Object.fromEntries(causes.map((cause) => [cause, { text: causeName(cause), color: colourOf(cause) }]))
  const grades = Object.fromEntries(severities.map(([severity, text, color]) => [severity, { text, color }]))
  const worded = (options: Record<string, { text: string; color: string }>) => [
    { id: 'mappings', value: [{ type: MappingType.ValueToText, options }] },
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
  ]
  return (
    sized(new TableBuilder(), about)
      .noValue(empty)
      // The text above is for no rows at all; a cell without a value has a dash.
      .overrideByRegexp('/.*/', [{ id: 'noValue', value: '–' }])
      .overrideByName('cause', worded(names))
      .overrideByName('severity', worded(grades))
      .overrideByName('tenant', [
        cellLinks(...(links.tenant ?? []), toPage('Open on the page', { view: 'tenant', tenant: cell })),
      ])
      .overrideByName('api', [cellLinks(toPage('Open on the page', { view: 'trends', api: cell }))])
  )
}

/** A column's unit; `percentunit` takes shares from 0 to 1. */
export function unitOf(unit: string, more: DynamicConfigValue[] = []): DynamicConfigValue[] {
  return [{ id: 'unit', value: unit }, ...more]
}

/** A column under another heading, in a unit. */
export function headed(heading: string, unit = 'short', decimals?: number): DynamicConfigValue[] {
  const places = decimals === undefined ? [] : [{ id: 'decimals', value: decimals }]
  return unitOf(unit, [...places, { id: 'displayName', value: heading }])
}

/** Red from this value on, grey before. */
export function redFrom(value: number): DynamicConfigValue[] {
  const steps = [
    { value: null, color: grey },
    { value, color: red },
  ]
  return [
    { id: 'custom.cellOptions', value: { type: 'color-text' } },
    { id: 'thresholds', value: { mode: 'absolute', steps } },
  ]
}

/** Leads from an alert to where the page shows it in full. */
export const alertOnPage: PanelLink = toPage('Open on the page', {
  view: 'alerts',
  tab: 'history',
  alert: field('fingerprint'),
})

/** A line in grey, for what something is compared with. */
export const inGrey: DynamicConfigValue[] = [
  { id: 'color', value: { mode: 'fixed', fixedColor: grey } },
  { id: 'custom.lineWidth', value: 1 },
]

interface Sizable<Panel> {
  title(title: string): Panel
  description(description: string): Panel
  span(width: number): Panel
  height(height: number): Panel
}

export function sized<Panel extends Sizable<Panel>>(panel: Panel, about: About): Panel {
  return panel.title(about.title).description(about.description).span(about.width).height(about.height)
}
