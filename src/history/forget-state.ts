import type { Clock } from '../time/clock.ts'
import { altered, type Database, quoted } from './database.ts'
import { finished } from './mutation.ts'
import { scopeMark } from './scoped-state.ts'
import type { StateEntry, StateStore } from './state.ts'
import { formsOf, mentionOf } from './tenant-name.ts'

/** Kinds that never name a tenant, and the note of the erasure itself. */
const otherKinds = [
  'intent',
  'file',
  'kept',
  'writer',
  'maintenance',
  'erasure',
  'heartbeat',
  'incarnation',
  'backfill',
]

interface Entry {
  readonly kind: string
  readonly key: string
  readonly value: string
}

/** Entries of the state that name the tenant. */
export async function namedInState(database: Database, tenant: string): Promise<readonly Entry[]> {
  const rows = await database.query<Entry>(
    `SELECT kind, key, value FROM tollwatch.state FINAL
     WHERE deleted = 0 AND NOT has({others:Array(String)}, kind)
       AND (multiSearchAny(value, {forms:Array(String)}) OR multiSearchAny(key, {forms:Array(String)}))`,
    {
      others: otherKinds,
      forms: [...new Set([...formsOf(tenant), JSON.stringify(JSON.stringify(tenant)).slice(3, -3)])],
    },
  )
  const rename = renaming(tenant, '')
  return rows.filter(({ key, value }) => rename(key) !== key || rename(value) !== value)
}

/**
 * Takes a tenant out of the state: its own alerts are deleted. In everything else (baselines of many series in one
 * entry, groups, messages on their way) the name is replaced by one that means nobody, so that the rest stays whole;
 * the series under that name never comes again and is dropped in time.
 */
export async function forgetInState(
  { database, state, clock }: { database: Database; state: StateStore; clock: Clock },
  tenant: string,
  id: string,
): Promise<void> {
  const rename = renaming(tenant, `erased-${id.slice(0, 8)}`)
  const entries: StateEntry[] = []
  const formerKeys: string[] = []
  for (const { kind, key, value } of await namedInState(database, tenant)) {
    const renamed = rename(key)
    if (renamed !== key) formerKeys.push(key)
    if (renamed !== key || isAlertOf(kind, value, tenant)) entries.push({ kind, key, value: null })
    if (!isAlertOf(kind, value, tenant)) entries.push({ kind, key: renamed, value: rename(value) })
  }
  await state.put(entries)
  if (formerKeys.length === 0) return
  // What was deleted stays as a mark under its key until somebody removes it.
  const hashes = await database.query<{ hash: string }>(
    'SELECT hex(sipHash128(arrayJoin({keys:Array(String)}))) AS hash',
    { keys: formerKeys },
  )
  const list = hashes.map(({ hash }) => quoted(hash)).join(', ')
  await database.command(
    `ALTER TABLE ${altered(database.place, 'tollwatch.state')} DELETE WHERE hex(sipHash128(key)) IN (${list})`,
  )
  await finished(database, 'state', clock)
}

/** Whether an entry is an alert about this tenant. */
function isAlertOf(kind: string, value: string, tenant: string): boolean {
  if (kind.split(scopeMark)[0] !== 'alert') return false
  const saved = parsed(value) as { instance?: { alert?: { labels?: Record<string, unknown> } } } | null | undefined
  return saved?.instance?.alert?.labels?.['tenant'] === tenant
}

/**
 * Replaces a name in a text: where the text is JSON, in each text within it, to any depth, for keys of series are JSON
 * themselves. A text that is the name alone becomes the other; in sentences and addresses mentions are replaced. What
 * is one run of characters otherwise stays, because numbers are kept as base64, where any name may stand by chance.
 */
function renaming(name: string, other: string): (text: string) => string {
  const mention = mentionOf(name)
  const text = (value: string): string => {
    if (value === name) return other
    if (/^\s*[[{"]/.test(value)) {
      const json = parsed(value)
      if (json !== undefined) {
        const before = JSON.stringify(json)
        const after = JSON.stringify(walk(json))
        return after === before ? value : after
      }
    }
    return /\s|:\/\//.test(value) ? value.replaceAll(mention, other) : value
  }
  const walk = (value: unknown): unknown => {
    if (typeof value === 'string') return text(value)
    if (Array.isArray(value)) return value.map(walk)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, one]) => [text(key), walk(one)]))
  }
  return text
}

/** The value of a JSON text; undefined when it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
