import type { StateEntry, StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import type { RuleEngine } from './engine.ts'
import type { Memory, SavedChunk, SavedHead, SavedMemory } from './memory.ts'
import type { QuotaReading } from './quota-reading.ts'
import type { Instance, RuleRunner } from './rule-runner.ts'
import { emptySnapshot, memoriesOf, type SavedRule } from './snapshot.ts'

const alertKind = 'alert'
const baselineKind = 'baseline'
/** The entry of kind `alert` that holds the clocks of the engine; all others are alerts, by fingerprint. */
const clockKey = 'engine'
/** All memories of rules are written once in this time, a few chunks at each save: a crash costs that much learning. */
const sweepMs = 15 * minuteMs
/** With few series the round is cheap and may be quick. */
const quickSweepMs = 5 * minuteMs
const quickSweepChunks = 20

/** What is to be written now. Call `saved` once it is durable; until then it will be offered again. */
export interface AlertChanges {
  readonly entries: readonly StateEntry[]
  saved(): void
}

/** A chunk of what one rule remembers. */
interface ChunkPlace {
  /** The rule, and the number of the memory where it has several. */
  readonly id: string
  readonly memory: Memory
  readonly chunk: number
}

/**
 * Keeps an engine's state in a store. Whenever an alert changes, all alerts are brought up to date together with the
 * engine's clocks and the memories of those that changed, so that what is stored belongs to one moment; the other
 * memories follow in a slow round. After a crash alerts are as they were, with the frozen baselines they are judged
 * by, and the other baselines are some minutes old; after `changes('all')` a restart is exact.
 */
export class AlertPersistence {
  readonly #engine: RuleEngine
  /** Keys in the store that today's rules have no use for. */
  #stale: readonly StateEntry[] = []
  #saved: ReadonlyMap<string, Instance> = new Map()
  #savedRevision = 0
  #sweptToMs: EpochMs | null = null
  #cursor = 0

  constructor(engine: RuleEngine) {
    this.#engine = engine
  }

  /** Loads what the store holds into the engine, which must not have stepped yet. False if there was nothing. */
  async load(store: StateStore): Promise<boolean> {
    const alerts = await store.load(alertKind)
    const baselines = await store.load(baselineKind)
    const clock = parse<SavedClock>(alerts.get(clockKey))
    if (clock === null) return false
    const snapshot = emptySnapshot(clock.lastStepMs)
    const stale: StateEntry[] = []
    for (const [rule, lastEvaluatedMs] of Object.entries(clock.rules)) {
      const runner = this.#engine.runners.find((one) => one.rule.name === rule)
      const memories = runner === undefined ? [] : idsOf(runner).map((id) => readMemory(id, baselines))
      const lastHealthMs = clock.health?.[rule] ?? null
      snapshot.rules[rule] = { lastEvaluatedMs, lastHealthMs, instances: [], memories }
    }
    snapshot.quota.push(...(clock.quota ?? []))
    for (const [key, text] of [...alerts].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const saved = key === clockKey ? null : parse<SavedAlert>(text)
      const rule: SavedRule | undefined = saved === null ? undefined : snapshot.rules[saved.rule]
      if (saved === null) continue
      if (rule === undefined) snapshot.orphans.push({ rule: saved.rule, instance: saved.instance })
      else snapshot.rules[saved.rule] = { ...rule, instances: [...rule.instances, saved.instance] }
      if (!this.#engine.rules.some(({ name }) => name === saved.rule)) {
        stale.push({ kind: alertKind, key, value: null })
      }
    }
    for (const key of baselines.keys()) {
      const owned = this.#engine.runners.some((runner) => idsOf(runner).some((id) => key.startsWith(`${id}/`)))
      if (!owned) stale.push({ kind: baselineKind, key, value: null })
    }
    this.#stale = stale
    const restored = this.#engine.restore(snapshot)
    this.#saved = this.#instances()
    return restored
  }

  /**
   * What changed since the last saved call.
   *
   * @param scope `some`: changed alerts, and the next few chunks of baselines · `all`: everything, for a clean stop
   */
  changes(scope: 'some' | 'all' = 'some'): AlertChanges {
    const revision = this.#engine.runners.reduce((sum, runner) => sum + runner.revision, 0)
    const sweep = this.#nextChunks(scope)
    if (revision === this.#savedRevision && sweep.chunks.length === 0 && scope === 'some') {
      return { entries: [], saved: () => {} }
    }
    const instances = this.#instances()
    const chunks = new Map(sweep.chunks.map((place) => [`${place.id}/${place.chunk}`, place]))
    for (const place of this.#chunksOfChanged()) chunks.set(`${place.id}/${place.chunk}`, place)
    // An alert of a rule that is gone stays in the store until the step that resolves it.
    const stale = this.#engine.orphans.length === 0 ? this.#stale : []
    const entries: StateEntry[] = [...stale, ...this.#alertEntries(instances)]
    for (const [key, { memory, chunk }] of chunks) {
      entries.push({ kind: baselineKind, key, value: JSON.stringify(memory.saveChunk(chunk)) })
    }
    const heads = new Map([...chunks.values()].map((place) => [place.id, place.memory]))
    if (scope === 'all') for (const [id, memory] of this.#memories()) heads.set(id, memory)
    for (const [id, memory] of heads) {
      entries.push({ kind: baselineKind, key: `${id}/head`, value: JSON.stringify(memory.saveHead(scope === 'all')) })
    }
    entries.push({ kind: alertKind, key: clockKey, value: JSON.stringify(this.#clock(scope)) })
    const saved = () => {
      this.#saved = instances
      this.#savedRevision = revision
      if (stale.length > 0) this.#stale = []
      this.#cursor = sweep.cursor
      this.#sweptToMs = sweep.sweptToMs
    }
    return { entries, saved }
  }

  #instances(): ReadonlyMap<string, Instance> {
    const instances = new Map<string, Instance>()
    for (const runner of this.#engine.runners) {
      for (const instance of runner.instances.values()) instances.set(instance.alert.fingerprint, instance)
    }
    return instances
  }

  #alertEntries(instances: ReadonlyMap<string, Instance>): readonly StateEntry[] {
    const entries: StateEntry[] = []
    for (const [key, instance] of instances) {
      if (this.#saved.get(key) === instance) continue
      const value = JSON.stringify({ rule: instance.alert.rule, instance } satisfies SavedAlert)
      entries.push({ kind: alertKind, key, value })
    }
    for (const key of this.#saved.keys()) if (!instances.has(key)) entries.push({ kind: alertKind, key, value: null })
    return entries
  }

  /** Where the memories lie of alerts that came on or went off: these say what they are judged by. */
  #chunksOfChanged(): readonly ChunkPlace[] {
    const places: ChunkPlace[] = []
    for (const runner of this.#engine.runners) {
      const ids = idsOf(runner)
      for (const [number, memory] of memoriesOf(runner.evaluator).entries()) {
        for (const { key, alert, clocks } of runner.instances.values()) {
          const chunk = memory.chunkOf(key)
          if (chunk === undefined || this.#saved.get(alert.fingerprint)?.clocks.state === clocks.state) continue
          places.push({ id: ids[number] ?? '', memory, chunk })
        }
      }
    }
    return places
  }

  /** The next part of the slow round. */
  #nextChunks(scope: 'some' | 'all'): {
    chunks: readonly ChunkPlace[]
    cursor: number
    sweptToMs: EpochMs | null
  } {
    const atMs = this.#engine.lastStepMs
    this.#sweptToMs ??= atMs
    const all = this.#memories().flatMap(([id, memory]) =>
      Array.from({ length: memory.chunkCount }, (_, chunk): ChunkPlace => ({ id, memory, chunk })),
    )
    const waitedMs = (atMs ?? 0) - (this.#sweptToMs ?? 0)
    const roundMs = all.length <= quickSweepChunks ? quickSweepMs : sweepMs
    const due = scope === 'all' ? all.length : Math.min(all.length, Math.floor((all.length * waitedMs) / roundMs))
    if (due === 0) return { chunks: [], cursor: this.#cursor, sweptToMs: this.#sweptToMs }
    const start = this.#cursor % all.length
    return { chunks: [...all, ...all].slice(start, start + due), cursor: start + due, sweptToMs: atMs }
  }

  #memories(): readonly (readonly [string, Memory])[] {
    return this.#engine.runners.flatMap((runner) => {
      const ids = idsOf(runner)
      return memoriesOf(runner.evaluator).map((memory, number) => [ids[number] ?? '', memory] as const)
    })
  }

  #clock(scope: 'some' | 'all'): SavedClock {
    const { runners, lastStepMs } = this.#engine
    const watched = runners.filter(({ lastHealthMs }) => lastHealthMs !== null)
    return {
      lastStepMs,
      rules: Object.fromEntries(runners.map(({ rule, lastEvaluatedMs }) => [rule.name, lastEvaluatedMs])),
      health: Object.fromEntries(watched.map(({ rule, lastHealthMs }) => [rule.name, lastHealthMs])),
      // After a crash the records are read again, and with them what they say of quotas.
      quota: scope === 'all' ? this.#engine.waitingQuota : [],
    }
  }
}

interface SavedClock {
  readonly lastStepMs: EpochMs | null
  readonly rules: Readonly<Record<string, EpochMs | null>>
  readonly health?: Readonly<Record<string, EpochMs | null>>
  readonly quota?: readonly QuotaReading[]
}

/** Under what names the memories of a rule are stored: the first under the rule's own. */
function idsOf({ rule, evaluator }: RuleRunner): readonly string[] {
  return memoriesOf(evaluator).map((_, number) => (number === 0 ? rule.name : `${rule.name}#${number}`))
}

function readMemory(id: string, texts: ReadonlyMap<string, string>): SavedMemory | null {
  const head = parse<SavedHead>(texts.get(`${id}/head`))
  if (head === null) return null
  const chunks: SavedChunk[] = []
  for (let chunk = 0; ; chunk++) {
    const saved = parse<SavedChunk>(texts.get(`${id}/${chunk}`))
    if (saved === null) break
    chunks.push(saved)
  }
  return { head, chunks }
}

interface SavedAlert {
  readonly rule: string
  readonly instance: Instance
}

/** Entries were written by us; one that is no JSON (a disk error) counts as absent. */
function parse<T>(text: string | undefined): T | null {
  if (text === undefined) return null
  try {
    return JSON.parse(text) as T
  } catch {
    return null
  }
}
