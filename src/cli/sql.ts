import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config/schema.ts'
import { Fault } from '../fault/fault.ts'
import { type HistoryReader, openReader } from '../history/reader.ts'
import { systemClock } from '../time/clock.ts'
import { readDaemonNote } from './daemon-file.ts'
import { misused } from './flags.ts'
import { formatNamed, printRows } from './output.ts'
import { exitCode, type Terminal } from './terminal.ts'

const longestStatement = 1_000_000

export interface SqlArguments {
  /** Null reads it from the standard input. */
  readonly statement: string | null
  readonly format?: string
  readonly json?: boolean
}

/** Runs one reading statement on the store; see `tollwatch sql --help`. */
export async function sqlCommand(args: SqlArguments, config: Config, terminal: Terminal): Promise<number> {
  const format = formatNamed(args)
  const statement = args.statement ?? (await written(terminal))
  const reader = await openToRead(config, 'ask it with tollwatch query --url, or stop it first')
  try {
    const { columns, rows } = await reader.ask(statement)
    printRows(rows, columns, format, terminal, 'No rows.')
    return exitCode.ok
  } finally {
    await reader.close()
  }
}

/**
 * Opens the store of the settings without writing to it.
 *
 * @param instead what to do while a daemon has it open
 * @throws Fault `store-locked` while one has, `argument-invalid` when there is no store
 */
export async function openToRead({ history }: Config, instead: string): Promise<HistoryReader> {
  if (history.clickhouse === undefined) {
    const note = readDaemonNote(history.data_dir)
    if (note !== null) {
      const message = `the daemon with process id ${note.pid} at ${note.url} has the store open: ${instead}`
      throw new Fault('store-locked', message, { retryable: false })
    }
    if (!existsSync(join(history.data_dir, 'store')))
      throw misused(`there is no history in ${history.data_dir}: name its directory with --data, or a config with -c`)
  }
  return openReader(history, systemClock)
}

async function written({ stdin }: Terminal): Promise<string> {
  if ('isTTY' in stdin && stdin.isTTY === true)
    throw misused('there is no statement: write it behind the command in quotes, or into its standard input')
  let text = ''
  for await (const chunk of stdin) {
    text += String(chunk)
    if (text.length > longestStatement) throw misused(`the statement is longer than ${longestStatement} characters`)
  }
  return text
}
