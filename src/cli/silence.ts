import { formatMatcher, parseMatcher } from '../alert/matcher.ts'
import { type Ask, type AskDeps, askerOf, type DaemonAddress } from './ask-daemon.ts'
import { printRows } from './output.ts'
import { exitCode } from './terminal.ts'

export type SilenceArguments = DaemonAddress & { readonly json: boolean } & (
    | {
        readonly action: 'add'
        /** Such as `tenant=acme` or `cause=~"quota.*"`; all must match. */
        readonly matchers: readonly string[]
        /** Such as `2h`; an hour when neither this nor `ends` is given. */
        readonly duration: string | null
        /** ISO 8601, epoch milliseconds or relative; now when null. */
        readonly starts: string | null
        readonly ends: string | null
        readonly comment: string | null
        readonly createdBy: string | null
      }
    | { readonly action: 'list'; readonly expired: boolean }
    | { readonly action: 'expire'; readonly ids: readonly string[] }
  )

/** A silence as the API answers it. */
export interface SilenceAnswer {
  readonly id: string
  readonly matchers: readonly string[]
  readonly starts_at: string
  readonly ends_at: string
  readonly created_by: string
  readonly comment: string
  readonly state: string
}

/** `tollwatch silence add|list|expire`. @returns 0; 1 when the daemon cannot be reached or refuses; 2 when misused */
export async function silenceCommand(args: SilenceArguments, deps: AskDeps): Promise<number> {
  const ask = askerOf(args, deps)
  switch (args.action) {
    case 'add':
      return add(args, ask, deps)
    case 'list':
      return list(args, ask, deps)
    case 'expire':
      return expire(args, ask, deps)
    default:
      return args satisfies never
  }
}

async function add(args: Extract<SilenceArguments, { action: 'add' }>, ask: Ask, deps: AskDeps): Promise<number> {
  const matchers = args.matchers.map(tolerant)
  if (matchers.length === 0) return misused(deps, 'name what to silence, such as tenant=acme')
  if (args.comment === null || args.comment.trim() === '') return misused(deps, 'say why with --comment')
  if (args.duration !== null && args.ends !== null) return misused(deps, 'give --duration or --ends, not both')
  const body = {
    matchers,
    comment: args.comment,
    ...(args.createdBy === null ? {} : { created_by: args.createdBy }),
    ...(args.starts === null ? {} : { starts_at: args.starts }),
    ...(args.ends === null ? { duration: args.duration ?? '1h' } : { ends_at: args.ends }),
  }
  const answer = await ask<SilenceAnswer>('POST', '/api/v1/silences', body)
  if (answer === null) return exitCode.failed
  if (args.json) deps.terminal.stdout.write(`${JSON.stringify(answer)}\n`)
  else deps.terminal.stdout.write(`${answer.id} silences ${answer.matchers.join(' ')} until ${answer.ends_at}\n`)
  return exitCode.ok
}

async function list(args: Extract<SilenceArguments, { action: 'list' }>, ask: Ask, deps: AskDeps): Promise<number> {
  const answer = await ask<{ silences: readonly SilenceAnswer[] }>('GET', '/api/v1/silences')
  if (answer === null) return exitCode.failed
  const silences = answer.silences.filter((silence) => args.expired || silence.state !== 'expired')
  if (args.json) {
    deps.terminal.stdout.write(`${JSON.stringify(silences, null, 2)}\n`)
  } else if (silences.length === 0) {
    deps.terminal.stdout.write(
      'Nothing is silenced. `tollwatch silence add tenant=NAME --duration 2h --comment WHY` does it.\n',
    )
  } else {
    const rows = silences.map((silence) => ({ ...silence, matchers: silence.matchers.join(' ') }))
    const columns = ['id', 'state', 'matchers', 'starts_at', 'ends_at', 'created_by', 'comment']
    printRows(rows, columns, 'table', deps.terminal)
  }
  return exitCode.ok
}

async function expire(args: Extract<SilenceArguments, { action: 'expire' }>, ask: Ask, deps: AskDeps): Promise<number> {
  if (args.ids.length === 0) return misused(deps, 'name the silence by its id; `tollwatch silence list` shows them')
  let code: number = exitCode.ok
  for (const id of args.ids) {
    const answer = await ask<{ expired: string }>('DELETE', `/api/v1/silences/${encodeURIComponent(id)}`)
    if (answer === null) code = exitCode.failed
    else deps.terminal.stdout.write(args.json ? `${JSON.stringify(answer)}\n` : `${answer.expired} ended\n`)
  }
  return code
}

/** The shell eats quotes: `tenant="big corp"` arrives without them and gets them back here. */
function tolerant(text: string): string {
  if (parseMatcher(text).ok) return text
  const found = /^\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*([^"]*?)\s*$/.exec(text)
  if (found === null) return text
  const again = parseMatcher(`${found[1]}${found[2]}${JSON.stringify(found[3])}`)
  return again.ok ? formatMatcher(again.matcher) : text
}

function misused({ terminal }: AskDeps, problem: string): number {
  terminal.stderr.write(`tollwatch: ${problem}\n`)
  return exitCode.misused
}
