/** What can be chosen at the top of a dashboard. */
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  type VariableOption,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard'
import { causes } from '../../src/classify/cause.ts'
import { causeName } from '../../src/http/page/causes.ts'
import { prometheus } from './queries.ts'

const all: VariableOption = { selected: true, text: ['All'], value: ['$__all'] }

export function datasource(kind: 'prometheus' | 'clickhouse'): DatasourceVariableBuilder {
  return kind === 'prometheus'
    ? new DatasourceVariableBuilder('prometheus').label('Prometheus').type('prometheus')
    : new DatasourceVariableBuilder('clickhouse').label('ClickHouse').type('grafana-clickhouse-datasource')
}

/** One of the values that a query gives; Grafana takes the first where none is chosen. */
export function single(
  name: string,
  source: DataSourceRef,
  query: string | Record<string, unknown>,
): QueryVariableBuilder {
  return new QueryVariableBuilder(name)
    .label(name === 'api' ? 'API' : name)
    .datasource(source)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
}

/** Values that a query gives, several at a time, all by default. */
export function choice(
  name: string,
  source: DataSourceRef,
  query: string | Record<string, unknown>,
): QueryVariableBuilder {
  return single(name, source, query).multi(true).includeAll(true).current(all)
}

/** The values of a label in Prometheus. */
export function labelChoice(name: string, metric: string): QueryVariableBuilder {
  const query = { query: `label_values(${metric}, ${name})`, refId: 'variable', qryType: 1 }
  return choice(name, prometheus, query).allValue('.*')
}

/** Which of several Tollwatch installations a Prometheus may scrape. */
export function job(): QueryVariableBuilder {
  return labelChoice('job', 'tollwatch_build_info').description('The scrape job of Tollwatch in Prometheus.')
}

/** The closed list of causes. */
export function causeChoice(): CustomVariableBuilder {
  return severalOf(
    'cause',
    causes.map((cause) => [causeName(cause), cause]),
  )
}

/** Any of a few words, all by default. */
export function severalOf(
  name: string,
  words: readonly (readonly [text: string, value: string])[],
): CustomVariableBuilder {
  const options = words.map(([text, value]) => ({ selected: false, text, value }))
  return new CustomVariableBuilder(name)
    .label(name)
    .values(words.map(([text, value]) => `${text} : ${value}`).join(', '))
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

/** Which tier of history is asked. */
export function tier(): CustomVariableBuilder {
  const words = [
    ['10 s, kept for days', '10s'],
    ['1 min, kept for months', '1m'],
    ['1 h, kept for years', '1h'],
  ] as const
  return oneOf('tier', 'detail', words, '1m')
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
