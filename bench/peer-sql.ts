import type { Shape } from './records.ts'

/** The same question for both engines: requests and refusals by tenant, API and the word for the cause. */

/** Where each layout keeps what is asked for: dotted paths in SQL. */
const fields: Readonly<Record<Shape, { tenant: string; api: string; word: string; status: string }>> = {
  kong: {
    tenant: 'consumer.custom_id',
    api: 'route.name',
    word: 'response.headers."x-error-code"',
    status: 'response.status',
  },
  flat: { tenant: 'consumer_name', api: 'route_id', word: 'resp_header_x_error_code', status: 'status' },
}

/** The columns that are read, and no others, in the words of each engine. */
const clickhouseColumns: Readonly<Record<Shape, string>> = {
  kong: 'response Tuple(status UInt16, headers Tuple(`x-error-code` String)), consumer Tuple(custom_id String), route Tuple(name String)',
  flat: 'status UInt16, consumer_name String, route_id String, resp_header_x_error_code String',
}
const duckdbColumns: Readonly<Record<Shape, string>> = {
  kong: `{response: 'STRUCT(status INTEGER, headers STRUCT("x-error-code" VARCHAR))', consumer: 'STRUCT(custom_id VARCHAR)', route: 'STRUCT("name" VARCHAR)'}`,
  flat: `{status: 'INTEGER', consumer_name: 'VARCHAR', route_id: 'VARCHAR', resp_header_x_error_code: 'VARCHAR'}`,
}

/** Settings that keep chDB to one thread and to the columns asked for. */
export const clickhouseSettings =
  'SETTINGS max_threads = 1, max_parsing_threads = 1, input_format_parallel_parsing = 0, input_format_skip_unknown_fields = 1, input_format_json_ignore_unknown_keys_in_named_tuple = 1'

export function clickhouseCounts(shape: Shape, file: string): string {
  const columns = clickhouseColumns[shape].replaceAll("'", "\\'")
  return grouped(shape, `file('${file}', 'JSONEachRow', '${columns}')`, (status) => `countIf(${status} = 402)`)
}

export function duckdbCounts(shape: Shape, file: string): string {
  const from = `read_json('${file}', format = 'newline_delimited', columns = ${duckdbColumns[shape]})`
  return grouped(shape, from, (status) => `count(*) FILTER (${status} = 402)`)
}

function grouped(shape: Shape, from: string, refusals: (status: string) => string): string {
  const { tenant, api, word, status } = fields[shape]
  return `SELECT ${tenant} AS tenant, ${api} AS api, coalesce(${word}, '') AS word, count(*) AS n, ${refusals(status)} AS refused FROM ${from} GROUP BY tenant, api, word`
}

/** The answer as one row, so that no peer pays for handing over a table. */
export function summed(counts: string): string {
  return `SELECT sum(n) AS n, sum(refused) AS refused, count(*) AS groups FROM (${counts})`
}
