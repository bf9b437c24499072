import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Child, freePort, startChild, waitFor } from './process.ts'
import { tempDir } from './run-context.ts'

/** A running nginx that serves one port for each name asked for. */
export interface Nginx {
  /** Folder of its files; `$dir` in the configuration stands for it. */
  readonly dir: string
  readonly urls: ReadonlyMap<string, string>
  stop(): Promise<void>
}

/**
 * Starts Debian's nginx with the inside of an `http { }` block. `$dir` in it becomes its folder, and `$port_NAME` the
 * port of each name.
 */
export async function startNginx(http: string, names: readonly string[]): Promise<Nginx> {
  const dir = tempDir('nginx')
  mkdirSync(join(dir, 'temp'))
  const ports = new Map<string, number>()
  for (const name of names) ports.set(name, await freePort())
  let inside = http.replaceAll('$dir', dir)
  for (const [name, port] of ports) inside = inside.replaceAll(`$port_${name}`, `127.0.0.1:${port}`)
  const temps = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((what) => `${what}_temp_path ${dir}/temp;`)
  const config = join(dir, 'nginx.conf')
  // One process in the foreground, and nothing outside its folder.
  writeFileSync(
    config,
    `daemon off; master_process off; pid ${dir}/nginx.pid; error_log stderr warn;
events { worker_connections 64; }
http {
${temps.join('\n')}
${inside}
}
`,
  )
  const server = startChild(nginxCommand, ['-p', dir, '-c', config, '-e', 'stderr'])
  const urls = new Map([...ports].map(([name, port]) => [name, `http://127.0.0.1:${port}`]))
  for (const url of urls.values()) {
    await waitFor('nginx to answer', async () => (await fetch(`${url}/up`)) !== null, { failed: () => endOf(server) })
  }
  return { dir, urls, stop: async () => void (await server.stop()) }
}

/** Debian keeps it where ordinary users have no path to. */
export const nginxCommand = '/usr/sbin/nginx'

function endOf(server: Child): string | null {
  return server.ended() ? `it ended:\n${server.output().slice(-3_000)}` : null
}
