import type { Config } from '../config/schema.ts'
import { Fault } from '../fault/fault.ts'
import { clusterPlace, singlePlace } from '../history/database.ts'
import { schemaText } from '../history/schema.ts'
import { exitCode, type Terminal } from './terminal.ts'

/** `tollwatch schema`: the statements that make the tables, for those who let nobody else make them. */
export function schemaCommand(args: { cluster?: string }, { history }: Config, terminal: Terminal): number {
  const cluster = args.cluster ?? history.clickhouse?.cluster
  if (cluster !== undefined && !/^[A-Za-z0-9_.-]+$/.test(cluster)) {
    throw new Fault('argument-invalid', '--cluster is no name of a cluster', { retryable: false })
  }
  const place = cluster === undefined ? singlePlace : clusterPlace(cluster)
  terminal.stdout.write(schemaText(place, history.retention))
  return exitCode.ok
}
