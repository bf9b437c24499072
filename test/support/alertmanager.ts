import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { freePort, startChild, waitFor } from './process.ts'
import { tempDir } from './run-context.ts'

/** An alert as the server shows it. */
export interface ShownAlert {
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
  readonly startsAt: string
  readonly endsAt: string
  readonly generatorURL?: string
  readonly status: { readonly state: string }
}

/** A running Alertmanager. */
export interface Alertmanager {
  readonly url: string
  /** What fires there now. */
  alerts(): Promise<readonly ShownAlert[]>
  stop(): Promise<void>
}

/**
 * Starts Debian's Alertmanager, alone, with its files in a folder of the run.
 *
 * @param webhook where it sends what it has grouped by tenant
 */
export async function startAlertmanager(options: { webhook: string; port?: number }): Promise<Alertmanager> {
  const dir = tempDir('alertmanager')
  const config = join(dir, 'alertmanager.yml')
  writeFileSync(
    config,
    `route: {receiver: sink, group_by: [tenant], group_wait: 1s, group_interval: 1s, repeat_interval: 1h}
receivers: [{name: sink, webhook_configs: [{url: '${options.webhook}'}]}]
`,
  )
  const port = options.port ?? (await freePort())
  const url = `http://127.0.0.1:${port}`
  const server = startChild('prometheus-alertmanager', [
    `--config.file=${config}`,
    `--storage.path=${join(dir, 'data')}`,
    `--web.listen-address=127.0.0.1:${port}`,
    // Alone: without it the server looks for a cluster on a public address.
    '--cluster.listen-address=',
    '--log.level=warn',
  ])
  const failed = () => (server.ended() ? `it ended:\n${server.output().slice(-3_000)}` : null)
  await waitFor('Alertmanager to be ready', async () => (await fetch(`${url}/-/ready`)).ok, { failed })
  return {
    url,
    alerts: async () => (await (await fetch(`${url}/api/v2/alerts`)).json()) as readonly ShownAlert[],
    stop: async () => void (await server.stop()),
  }
}
