import { messageOf } from '../fault/fault.ts'
import { exitCode, type Terminal } from './terminal.ts'

/** `tollwatch explain FINGERPRINT`: asks the daemon why an alert is what it is. */
export async function explainCommand(
  args: { url: string; token: string | null; fingerprint: string; json: boolean },
  { terminal, fetch }: { terminal: Terminal; fetch: (url: string, init: RequestInit) => Promise<Response> },
): Promise<number> {
  const address = `${args.url.replace(/\/$/, '')}/api/v1/alerts/${encodeURIComponent(args.fingerprint)}/explain`
  const headers: Record<string, string> = args.token === null ? {} : { authorization: `Bearer ${args.token}` }
  let response: Response
  try {
    response = await fetch(address, { headers })
  } catch (error) {
    terminal.stderr.write(`tollwatch: no daemon answers at ${args.url}: ${messageOf(error)}\n`)
    return exitCode.failed
  }
  const body = (await response.json()) as { sentences?: string[]; detail?: string; title?: string }
  if (!response.ok) {
    terminal.stderr.write(`tollwatch: ${body.detail ?? body.title ?? `the daemon answered ${response.status}`}\n`)
    return exitCode.failed
  }
  terminal.stdout.write(args.json ? `${JSON.stringify(body, null, 2)}\n` : `${(body.sentences ?? []).join('\n')}\n`)
  return exitCode.ok
}
