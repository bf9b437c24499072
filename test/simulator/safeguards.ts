import type { RangeStore } from '../../src/history/history.ts'
import type { ReloadedRow } from '../../src/history/reload.ts'
import type { Coordinator } from '../../src/source/source.ts'
import type { Blow } from './plan.ts'

/**
 * What makes history exact, part by part. Each can be taken away without a hook in `src/`: by the simulated world itself
 * or by something put between it and the pipeline.
 */
export const safeguards = [
  /** The range is announced before it is written. */
  'intents',
  /** A commit without an answer is repeated until there is one. */
  'answers awaited',
  /** An announced range lands under the bounds it was announced with. */
  'bounds kept',
  /** The store drops an insert whose token it has seen. */
  'tokens',
  /** The store remembers tokens for longer than an insert can be on its way. */
  'long dedup window',
  /** The group refuses a commit of an older generation. */
  'commits fenced',
  /** The next offset is committed after the range has landed. */
  'commit after landing',
  /** A new assignment gives up every lane of the one before. */
  'old lanes dropped',
  /** Windows are loaded after announced ranges have landed. */
  'windows after settling',
  /** What was deleted before it was read goes into the ledger. */
  'gaps declared',
  /** Where the group has forgotten the offset, the ledger has it. */
  'ledger for lost offsets',
  /** A topic made anew is another source. */
  'topic identity',
] as const

export type Safeguard = (typeof safeguards)[number]

/** What brings out the lack of a safeguard whose fault is rare otherwise. */
export function provocation(safeguard: Safeguard): readonly Blow[] {
  switch (safeguard) {
    case 'answers awaited':
      return [...Array<Blow>(4).fill('broker outage'), ...Array<Blow>(8).fill('kill')]
    case 'intents':
    case 'bounds kept':
    case 'windows after settling':
      return ['kill', 'kill', 'kill']
    case 'commits fenced':
    case 'old lanes dropped':
      return ['freeze', 'freeze', 'freeze', 'freeze']
    case 'gaps declared':
      return ['retention', 'retention', 'retention', 'retention', 'kill', 'kill']
    case 'ledger for lost offsets':
      return ['expire offsets', 'expire offsets', 'expire offsets']
    case 'topic identity':
      return ['recreate topic', 'recreate topic']
    case 'tokens':
    case 'long dedup window':
    case 'commit after landing':
      return []
    default:
      return safeguard satisfies never
  }
}

/** Takes a safeguard away between the pipeline and the group. */
export function weakCoordinator(coordinator: Coordinator, without: Safeguard | null): Coordinator {
  if (without === 'intents') {
    return { ...coordinator, commit: (offset, metadata) => coordinator.commit(offset, withoutRange(metadata)) }
  }
  if (without === 'answers awaited') {
    return {
      ...coordinator,
      commit: (offset, metadata) => coordinator.commit(offset, metadata).catch(() => 'committed'),
    }
  }
  if (without === 'bounds kept') {
    const read = async () => {
      const committed = await coordinator.read()
      return committed === null ? null : { ...committed, metadata: otherBounds(committed.metadata) }
    }
    return { ...coordinator, read }
  }
  return coordinator
}

/** Takes a safeguard away between the pipeline and the store. */
export function weakStore(store: RangeStore, without: Safeguard | null): RangeStore {
  switch (without) {
    case 'commit after landing':
      return {
        ...store,
        land: async (range) => {
          void store.land(range).catch(() => undefined)
        },
      }
    case 'gaps declared':
      return { ...store, land: async (range) => (range.gap ? undefined : store.land(range)) }
    case 'ledger for lost offsets':
      return { ...store, position: async () => null }
    case 'windows after settling': {
      // The rows as they were when the position was asked for, before anything has settled.
      let early: Promise<readonly ReloadedRow[]> | null = null
      let wanted: readonly { source: string; lane: number }[] = []
      return {
        ...store,
        position: async (source, lane) => {
          wanted = [...wanted, { source, lane }]
          early = store.windowRows(0, wanted)
          early.catch(() => undefined)
          return store.position(source, lane)
        },
        windowRows: async (fromMs, mine) => {
          const rows = early === null ? store.windowRows(fromMs, mine) : early
          early = null
          wanted = []
          return rows
        },
      }
    }
    default:
      return store
  }
}

function withoutRange(metadata: string): string {
  const { lo: _lo, hi: _hi, ...rest } = JSON.parse(metadata) as Record<string, unknown>
  return JSON.stringify(rest)
}

function otherBounds(metadata: string): string {
  const intent = JSON.parse(metadata === '' ? '{}' : metadata) as { lo?: number; hi?: number }
  if (intent.lo === undefined || intent.hi === undefined) return metadata
  return JSON.stringify({ ...intent, hi: intent.lo + Math.floor((intent.hi - intent.lo) / 2) })
}
