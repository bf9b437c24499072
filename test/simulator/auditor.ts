import { sliceMs, windowLengthsMs } from '../../src/window/view.ts'
import { standardOptions } from '../pipeline/fake-world.ts'
import type { Daemon } from './daemon.ts'
import { type LaneTables, laneKey, tierNames, tiers } from './store.ts'
import type { PartitionLog, Truth } from './topic.ts'
import type { World } from './world.ts'

/** Something that is not as it must be. */
export interface Finding {
  /** `limit`: a known limit that no daemon can heal, and that must be rare; all else is a failure. */
  readonly kind: 'stuck' | 'daemon' | 'memory' | 'ledger' | 'tables' | 'windows' | 'time' | 'counters' | 'limit'
  readonly text: string
}

type Counts = Map<string, number>

/** What one lane's history must hold, counted naively from what was produced. */
interface Expected {
  readonly tiers: Readonly<Record<keyof typeof tiers, Counts>>
  readonly events: Counts
  readonly letters: Counts
}

/** Rings and their reach, as `window/rolling.ts` promises them. */
const ringBehind = 360
const ringAhead = 72

/** Compares what was produced with every table, with the windows and with the counters of the daemons that live. */
export function audit(world: World, beatMs: number): readonly Finding[] {
  const findings: Finding[] = []
  const expected = new Map<string, Expected>()
  const named = new Set(world.topic.incarnations.map((_, index) => world.sourceOf(index + 1))).size
  const isTold = named === world.topic.incarnations.length
  world.topic.incarnations.forEach((logs, index) => {
    logs.forEach((log, partition) => {
      const key = laneKey(world.sourceOf(index + 1), partition)
      const tables = world.store.lanes.get(key)
      const current = index + 1 === world.topic.id
      if (current && !log.cut) findings.push(...auditBeat(key, tables, beatMs))
      // Where two topics share a name, their tables cannot be told apart.
      if (tables === undefined || !isTold) return
      const lane = auditLane(key, log, { tables, current })
      findings.push(...lane.findings)
      expected.set(key, lane.expected)
    })
  })
  // Windows are loaded from history: where that is wrong they say nothing of their own.
  const isWhole = isTold && findings.length === 0
  for (const daemon of world.daemons) {
    if (isWhole) findings.push(...auditWindows(daemon, expected))
    findings.push(...auditTime(world, daemon, beatMs), ...auditCounters(world, daemon))
    for (const text of daemon.complaints) findings.push({ kind: 'daemon', text })
    if (world.topic.logs.some(({ cut }) => cut)) continue
    for (const text of daemon.pipeline.problems()) findings.push({ kind: 'stuck', text })
  }
  return findings
}

/** The last value of every lane, produced when nothing disturbed any more, must be in history. */
function auditBeat(key: string, tables: LaneTables | undefined, beatMs: number): Finding[] {
  const row = `${Math.floor(beatMs / sliceMs)} acme `
  return tables?.tiers.rollup_10s.has(row) ? [] : [{ kind: 'tables', text: `${key}: the newest value is not there` }]
}

function auditLane(
  key: string,
  log: PartitionLog,
  { tables, current }: { tables: LaneTables; current: boolean },
): { findings: Finding[]; expected: Expected } {
  const findings: Finding[] = []
  const say = (kind: Finding['kind'], text: string): void => void findings.push({ kind, text: `${key}: ${text}` })
  const entries = [...tables.ledger].sort((a, b) => a.lo - b.lo || a.hi - b.hi)
  const expected: Expected = {
    tiers: { rollup_10s: new Map(), rollup_1m: new Map(), rollup_1h: new Map() },
    events: new Map(),
    letters: new Map(),
  }
  // What was deleted before anybody knew of the lane is nobody's gap.
  let next = Math.min(entries[0]?.lo ?? 0, log.earliest)
  for (const entry of entries) {
    if (entry.lo > next) say('ledger', `offsets ${next} to ${entry.lo - 1} are missing`)
    if (entry.lo < next) say('ledger', `${entry.lo}-${entry.hi} overlaps what came before, up to ${next - 1}`)
    next = Math.max(next, entry.hi + 1)
    if (entry.gap) {
      if (entry.lo >= log.earliest) say('ledger', `${entry.lo}-${entry.hi} is called a gap and can be read`)
      continue
    }
    const counted = expect(log, entry.lo, entry.hi, expected)
    if (entry.requests !== counted.requests || entry.paymentRequired !== counted.refused) {
      say('ledger', `${entry.lo}-${entry.hi} says ${entry.requests} requests, ${entry.paymentRequired} refused`)
    }
    if (entry.deadLetters !== counted.letters) say('ledger', `${entry.lo}-${entry.hi} has other dead letters`)
  }
  // What was not read of a topic that was deleted is gone with it.
  if (current && !log.cut && next < log.readableEnd) say('ledger', `it ends at ${next} before ${log.readableEnd}`)
  const half = deletedInTheWriting(log, tables)
  if (half !== null) {
    say('limit', `${half} was deleted while it was being written, and nobody can complete it`)
    return { findings, expected }
  }
  for (const tier of tierNames) {
    const held: Counts = new Map()
    for (const [row, { cause, requests, paymentRequired }] of tables.tiers[tier]) {
      held.set(row, cause === '' ? requests : paymentRequired)
    }
    const wrong = difference(held, expected.tiers[tier])
    if (wrong !== null) say('tables', `${tier} ${wrong}`)
  }
  for (const table of ['events', 'letters'] as const) {
    const wrong = difference(tables[table], expected[table])
    if (wrong !== null) say('tables', `${table} ${wrong}`)
  }
  return { findings, expected }
}

/** A range of which some tables have rows and others lack theirs, and which cannot be read any more; null for none. */
function deletedInTheWriting(log: PartitionLog, { ledger, reached }: LaneTables): string | null {
  for (const [range, found] of reached) {
    const [lo = 0, hi = 0] = range.split('-').map(Number)
    if (lo >= log.earliest || found.size === 0) continue
    const nothing = { tiers: { rollup_10s: new Map(), rollup_1m: new Map(), rollup_1h: new Map() } }
    const { requests, refused, letters } = expect(log, lo, hi, { ...nothing, events: new Map(), letters: new Map() })
    const gap = ledger.some((entry) => entry.gap && entry.lo <= hi && lo <= entry.hi)
    const whole =
      found.has('ledger') &&
      (requests === 0 || tierNames.every((tier) => found.has(tier))) &&
      (refused === 0 || found.has('events_402')) &&
      (letters === 0 || found.has('dead_letter'))
    const written = requests > 0 && found.has('rollup_10s')
    if ((gap && written) || (!gap && !whole)) return range
  }
  return null
}

function expect(log: PartitionLog, lo: number, hi: number, into: Expected) {
  const counted = { requests: 0, refused: 0, letters: 0 }
  for (let offset = lo; offset <= hi; offset++) {
    log.values[offset]?.entries.forEach((truth, index) => {
      if (truth.kind === 'letter') {
        counted.letters++
        add(into.letters, `${offset} ${index}`, 1)
        return
      }
      counted.requests++
      if (truth.cause !== '') {
        counted.refused++
        add(into.events, `${offset} ${index}`, 1)
      }
      for (const tier of tierNames) {
        const start = Math.floor(truth.slice / tiers[tier]) * tiers[tier]
        add(into.tiers[tier], `${start} ${truth.tenant} `, 1)
        if (truth.cause !== '') add(into.tiers[tier], `${start} ${truth.tenant} ${truth.cause}`, 1)
      }
    })
  }
  return counted
}

/** The windows of a daemon against a recount of what its lanes, and inputs that nobody reads any more, have in them. */
function auditWindows(daemon: Daemon, expected: ReadonlyMap<string, Expected>): Finding[] {
  const { lanes } = daemon.source
  if (lanes.length === 0) return []
  const mine = new Set(lanes.map(({ source, partition }) => laneKey(source, partition)))
  const sources = new Set(lanes.map(({ source }) => source))
  const { view } = daemon.pipeline
  const end = (view?.endMs ?? 0) / sliceMs
  const spans = [
    { name: 'the rings', from: end - ringBehind, to: end + ringAhead },
    ...Object.entries(windowLengthsMs).map(([name, ms]) => ({ name, from: end - ms / sliceMs, to: end })),
  ]
  const findings: Finding[] = []
  for (const { name, from, to } of spans) {
    const truth: Counts = new Map()
    for (const [key, { tiers }] of expected) {
      if (sources.has(key.slice(0, key.lastIndexOf('/'))) && !mine.has(key)) continue
      for (const [row, count] of tiers.rollup_10s) {
        const at = row.indexOf(' ')
        const slice = Number(row.slice(0, at))
        if (slice >= from && slice < to) add(truth, row.slice(at + 1), count)
      }
    }
    const held: Counts = new Map()
    for (const { tenant, requests, causes } of view?.totals(from * sliceMs, to * sliceMs) ?? []) {
      if (requests > 0) add(held, `${tenant} `, requests)
      for (const { cause, count } of causes) add(held, `${tenant} ${cause}`, count)
    }
    const wrong = difference(held, truth)
    if (wrong !== null) findings.push({ kind: 'windows', text: `${daemon.process.name}: ${name}: ${wrong}` })
  }
  return findings.slice(0, 1)
}

/** Event time must have come as far as the last values, where the daemon has read them itself. */
function auditTime(world: World, daemon: Daemon, beatMs: number): Finding[] {
  const { lanes, delivered } = daemon.source
  const lasting = lanes.filter(({ partition }) => !world.topic.log(partition).cut)
  const isAtEnd = lasting.every(({ source, partition }) =>
    delivered.get(laneKey(source, partition))?.has(world.topic.log(partition).latest - 1),
  )
  if (lasting.length === 0 || !isAtEnd) return []
  const due = Math.floor((beatMs - standardOptions.latenessMs) / sliceMs) * sliceMs
  const endMs = daemon.pipeline.view?.endMs ?? 0
  if (endMs >= due) return []
  const text = `${daemon.process.name}: event time stands at ${clock(endMs)} and should have passed ${clock(due)}`
  return [{ kind: 'time', text }]
}

function auditCounters(world: World, daemon: Daemon): Finding[] {
  let most = 0
  for (const [key, offsets] of daemon.source.delivered) {
    const log = world.logOf(key)
    for (const offset of offsets)
      most += log?.values[offset]?.entries.filter(({ kind }) => kind === 'counted').length ?? 0
  }
  const counted = daemon.lifetime.totals().reduce((sum, { requests }) => sum + requests, 0)
  if (counted <= most) return []
  return [{ kind: 'counters', text: `${daemon.process.name}: ${counted} requests counted, ${most} were there` }]
}

/** What waits in a daemon beyond the memory mark, leaving out the newest batches of each lane. */
export function memoryFinding(world: World, daemon: Daemon): Finding | null {
  let rows = 0
  for (const lane of daemon.source.lanes) {
    const end = lane.olderEnd
    if (end - lane.landedNext <= 0) continue
    const log = world.topic.log(lane.partition)
    const cells = new Set<string>()
    const count = (truth: Truth): void => {
      if (truth.kind === 'letter') rows++
      else {
        cells.add(`${truth.slice} ${truth.tenant}`)
        if (truth.cause !== '') rows++
      }
    }
    for (let offset = lane.landedNext; offset < end; offset++) log.values[offset]?.entries.forEach(count)
    rows += cells.size
  }
  if (rows <= world.plan.memoryRows) return null
  return { kind: 'memory', text: `${daemon.process.name}: ${rows} rows wait, the mark is ${world.plan.memoryRows}` }
}

function add(counts: Counts, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count)
}

/** The first key in which two counts differ, in words; null when there is none. */
function difference(held: ReadonlyMap<string, number>, truth: ReadonlyMap<string, number>): string | null {
  for (const [key, count] of truth) {
    if (held.get(key) !== count) return `has ${held.get(key) ?? 0} of "${key}", there were ${count}`
  }
  for (const [key, count] of held) if (!truth.has(key)) return `has ${count} of "${key}", there were none`
  return null
}

function clock(ms: number): string {
  return new Date(ms).toISOString().slice(11, 19)
}
