/** Questions to the two data sources, as Grafana stores them. */
import type * as cog from '@grafana/grafana-foundation-sdk/cog'
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/common'
import { DataqueryBuilder, PromQueryFormat } from '@grafana/grafana-foundation-sdk/prometheus'

export const prometheus: DataSourceRef = { type: 'prometheus', uid: '${prometheus}' }
export const clickhouse: DataSourceRef = { type: 'grafana-clickhouse-datasource', uid: '${clickhouse}' }

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
