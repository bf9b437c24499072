import type { Config } from '../config/schema.ts'
import { printRows } from './output.ts'
import { stepsOn } from './progress-steps.ts'
import { openStoreAlone } from './store.ts'
import { exitCode, type Terminal } from './terminal.ts'

export interface ForgetArguments {
  readonly tenant: string
  readonly yes?: boolean
  readonly json?: boolean
}

/** `tollwatch history forget`: erases one tenant for good; without `--yes` it only counts. */
export async function forgetCommand(args: ForgetArguments, config: Config, terminal: Terminal): Promise<number> {
  const { tenant, yes = false, json = false } = args
  const history = await openStoreAlone(config)
  try {
    if (!yes) {
      const rows = await history.rowsOfTenant(tenant)
      if (json) terminal.stdout.write(`${JSON.stringify({ erased: false, rows }, null, 2)}\n`)
      else {
        print(rows, terminal)
        terminal.stdout.write('Nothing was erased. It cannot be undone: repeat the command with --yes.\n')
      }
      return exitCode.misused
    }
    const { steps, done } = stepsOn(terminal, 'forget')
    const { rows, resumed } = await history.forget(tenant, steps).finally(done)
    if (json) {
      terminal.stdout.write(`${JSON.stringify({ erased: true, resumed, rows }, null, 2)}\n`)
      return exitCode.ok
    }
    print(rows, terminal)
    terminal.stdout.write(
      `${resumed ? 'An interrupted erasure was completed. ' : ''}Erased. What Kafka or log files still hold is counted again only if it is read again.\n`,
    )
    return exitCode.ok
  } finally {
    await history.close()
  }
}

function print(rows: Readonly<Record<string, number>>, terminal: Terminal): void {
  printRows(
    Object.entries(rows).map(([table, count]) => ({ table, rows: count })),
    ['table', 'rows'],
    'table',
    terminal,
  )
}
