import { type AskDeps, askerOf, type DaemonAddress } from './ask-daemon.ts'
import { exitCode } from './terminal.ts'

/** `tollwatch explain FINGERPRINT`: asks the daemon why an alert is what it is, and who is told of it. */
export async function explainCommand(
  args: DaemonAddress & { readonly fingerprint: string; readonly json: boolean },
  deps: AskDeps,
): Promise<number> {
  const path = `/api/v1/alerts/${encodeURIComponent(args.fingerprint)}/explain`
  const answer = await askerOf(args, deps)<{ readonly sentences: readonly string[] }>('GET', path)
  if (answer === null) return exitCode.failed
  deps.terminal.stdout.write(args.json ? `${JSON.stringify(answer, null, 2)}\n` : `${answer.sentences.join('\n')}\n`)
  return exitCode.ok
}
