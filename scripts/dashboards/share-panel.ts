/** The share refused beside that of the same times in the weeks before; of everything, or of one tenant. */
import type { PanelBuilder } from '@grafana/grafana-foundation-sdk/timeseries'
import { inRange, refused, rollup, series, weeksBefore } from './history-sql.ts'
import { inGrey, lines } from './pieces.ts'
import { clickhouse, sql } from './queries.ts'

export function shareAgainstWeeksBefore(width: number): PanelBuilder {
  return lines(
    {
      title: 'Share refused, against the four weeks before',
      description:
        'The line is the chosen time; grey lines are the least and the most of the same times in the four weeks before. No line where no request was.',
      width,
      height: 8,
    },
    'percentunit',
  )
    .datasource(clickhouse)
    .interval('1m')
    .overrideByRegexp('/least|most/', inGrey)
    .withTarget(
      sql(
        'A',
        'timeseries',
        `
        SELECT $__timeInterval(bucket) AS time, ${refused} / sum(requests) AS share
        FROM ${rollup}
        ${inRange}
        GROUP BY time
        HAVING sum(requests) > 0
        ORDER BY time`,
      ),
    )
    .withTarget(
      sql(
        'B',
        'timeseries',
        `
        SELECT time, min(share) AS least, max(share) AS most
        FROM (
          SELECT $__timeInterval(bucket + toIntervalWeek(weeks)) AS time, weeks, ${refused} / sum(requests) AS share
          FROM ${rollup}
          ARRAY JOIN [1, 2, 3, 4] AS weeks
          WHERE ${weeksBefore('weeks')} AND ${series}
          GROUP BY time, weeks
          HAVING sum(requests) > 0
        )
        GROUP BY time
        ORDER BY time`,
      ),
    )
}
