import type { ApartKind } from './classify/watch.ts'
import type { Decoder } from './decode/decode.ts'
import { LayoutWatch } from './decode/layout-watch.ts'
import { Fault, messageOf } from './fault/fault.ts'
import type { Log } from './fault/log.ts'
import { firstOffset, isPacked, isUnreadable, lastOffset, letterOf, piecesOf } from './history/batch-parts.ts'
import type { RangeStore } from './history/history.ts'
import { Intake, type QuotaListener, type Reading } from './history/intake.ts'
import { beyond, type Gap, laneStart } from './history/lane-start.ts'
import { LaneWriter, type Pending, type Position } from './history/lane-writer.ts'
import { PackedIntake } from './history/packed-intake.ts'
import { gapRange, type Range, RangeBuilder } from './history/range.ts'
import type { LaneHealth } from './http/deps.ts'
import type { InputWatch } from './notify/input-watch.ts'
import { withOwnBytes } from './source/packed.ts'
import type { Batch, BatchConsumer, Lane, Unreadable } from './source/source.ts'
import type { Clock, EpochMs } from './time/clock.ts'
import type { Lifetime } from './window/lifetime.ts'
import { sliceMs, type WindowView, windowLengthsMs } from './window/view.ts'
import { Watermark } from './window/watermark.ts'
import { Windows } from './window/windows.ts'

/** What the pipeline reports; telemetry implements it. */
export interface PipelineEvents {
  records(result: string, count: number): void
  flushed(seconds: number): void
  refusalsApart(kind: ApartKind, count: number): void
}

export interface PipelineOptions {
  readonly history: RangeStore
  readonly reading: Reading
  readonly lifetime: Lifetime
  readonly events: PipelineEvents
  readonly clock: Clock
  readonly log: Log
  /** Called for each slice the watermark closes, in order. Not called while windows are being reloaded. */
  readonly onSlice: (endMs: EpochMs, view: WindowView) => void
  /** Told what gateways say of quotas, for rules that forecast; null when there is no such rule. */
  readonly onQuotas: QuotaListener | null
  /** Event time of the newest slice `onSlice` has dealt with in an earlier life, null for none. */
  readonly resumeAtMs: EpochMs | null
  readonly latenessMs: number
  readonly idleAfterMs: number
  readonly seriesLimit: number
  readonly seriesLimitPerTenant: number
  readonly flushIntervalMs: number
  readonly flushRows: number
  readonly memoryLimitBytes: number
  readonly epoch: number
  /** Hears what is wrong with the inputs, for people. */
  readonly inputs?: InputWatch
}

/** Bytes one waiting row or event is taken for; measured generously, so that the memory mark errs on the safe side. */
const waitingRowBytes = 600
/** One insert must not touch more day partitions than the engine takes. */
const longestRangeDays = 40
const longestWindowMs = Math.max(...Object.values(windowLengthsMs))
/** How much newer than the resumed evaluation the stored slices may be for the rings to hold both. */
const resumeReachMs = 11 * 60_000

interface LaneState {
  readonly owner: BatchOwner
  readonly lane: Lane
  readonly key: string
  readonly format: string | null
  readonly writer: LaneWriter
  readonly decoder: Decoder
  readonly layouts: LayoutWatch
  /** settling: repeats a range that may have landed in part. held: waits for the windows. live: feeds both. */
  phase: 'settling' | 'held' | 'live'
  pending: Pending | null
  builder: RangeBuilder
  /** Batches that arrived before the windows were there. */
  readonly held: Batch[]
  paused: boolean
  /** Resolves when the lane is live, or was dropped. */
  readonly whenLive: Promise<void>
  readonly setLive: () => void
}

type BatchOwner = symbol

/** What becomes of values that could be read. */
const readableResults = new Set(['ok', 'skewed', 'skipped'])

/**
 * The one loop: values of all sources become records, records become counts, and the same counts feed the windows and
 * the ranges that history stores. Live windows never wait for history; history's debt pauses the lanes.
 *
 * After an assignment: (1) drop what the old owner held, (2) read the positions, (3) land again what may have landed in
 * part, (4) load the windows from history, (5) go on with new records. With (4) before (3) a record would be in the
 * windows twice or not at all.
 */
export class Pipeline {
  readonly #options: PipelineOptions
  readonly #states = new Map<Lane, LaneState>()
  readonly #watermark: Watermark
  readonly #intake: Intake
  readonly #packed: PackedIntake
  #windows: Windows | null = null
  #loading: Promise<void> = Promise.resolve()
  #gate: Promise<void> | null = null
  #problems = new Map<string, string>()
  #stopped = false
  /** Folded records of windows that were since loaded anew. */
  #foldedBefore = 0

  constructor(options: PipelineOptions) {
    this.#options = options
    this.#watermark = new Watermark(options)
    const windows = {
      around: (timeMs: EpochMs) => this.#openWindows(timeMs),
      makeRoom: (slice: number) => this.#advanceTo(slice * sliceMs),
    }
    const stages = { ...options, watermark: this.#watermark, windows }
    this.#intake = new Intake(stages)
    this.#packed = new PackedIntake({ ...stages, intake: this.#intake })
  }

  get view(): Windows | null {
    this.#packed.drain()
    return this.#windows
  }

  get watermarkMs(): EpochMs | null {
    return this.#watermark.value()
  }

  get seriesCount(): number {
    return this.#windows?.seriesCount ?? 0
  }

  get foldedCount(): number {
    return this.#foldedBefore + (this.#windows?.foldedCount ?? 0)
  }

  /** When the oldest record that is not in history yet arrived here; null when none waits. */
  get oldestUnwrittenMs(): EpochMs | null {
    let oldest: EpochMs | null = null
    for (const { builder, writer } of this.#states.values()) {
      for (const at of [builder.empty ? null : builder.openedMs, writer.oldestMs]) {
        if (at !== null && (oldest === null || at < oldest)) oldest = at
      }
    }
    return oldest
  }

  /** Why the daemon is not ready, empty when all is well. */
  problems(): readonly string[] {
    const problems = [...this.#problems.values()]
    for (const { lane, writer, phase } of this.#states.values()) {
      if (writer.problem !== null) problems.push(`${lane.label}: history cannot be written: ${writer.problem}`)
      if (phase === 'settling') problems.push(`${lane.label}: completing a write that a crash interrupted`)
    }
    if (this.#gate !== null) problems.push('windows are being loaded from history')
    return problems
  }

  lanes(): readonly Lane[] {
    return [...this.#states.keys()]
  }

  /** How each lane is doing, for people. */
  laneHealth(): readonly LaneHealth[] {
    return [...this.#states.values()].map(({ lane, key, writer, builder }) => ({
      ...{ source: lane.source, lane: lane.partition, label: lane.label },
      ...{ lag: lane.lag(), position: builder.next, problem: writer.problem ?? this.#problems.get(key) ?? null },
    }))
  }

  /** The event time that each source with a coordinator has come to; null before its first record. */
  reached(): ReadonlyMap<string, EpochMs | null> {
    const keys = new Map<string, string[]>()
    for (const { lane, key } of this.#states.values()) {
      if (lane.coordinator === null) continue
      const own = keys.get(lane.source)
      if (own === undefined) keys.set(lane.source, [key])
      else own.push(key)
    }
    return new Map([...keys].map(([source, own]) => [source, this.#watermark.reached(own)]))
  }

  /** The consumer to start one source with. Each source has its own, because an assignment replaces that source's lanes. */
  consumer(): BatchConsumer {
    const owner: BatchOwner = Symbol('source')
    return {
      assigned: (lanes) => this.#assign(owner, lanes),
      take: (lane, batch) => this.#take(lane, batch),
      lost: (lane, lo, hi) => this.#lost(lane, lo, hi),
      ended: (lane) => this.#end(lane),
      revoking: () => this.#revoke(owner),
      beyond: (lane, latest) => this.#beyond(lane, latest),
    }
  }

  /** Once a second: writes what has waited long enough, lets silent lanes go, moves event time on. */
  tick(): void {
    const now = this.#options.clock.now()
    // What others read beside the view, such as the lifetime totals, is not older than this.
    this.#packed.drain()
    for (const state of this.#states.values()) {
      this.#watermark.rest(state.key, now, state.lane.lag() === 0)
      const due = now - state.builder.openedMs >= this.#options.flushIntervalMs
      if (due && !state.writer.busy && state.phase === 'live') this.#seal(state)
    }
    this.#relieve()
    this.#advance()
  }

  /**
   * Writes all that was taken. After it nothing is lost if the process ends.
   *
   * @returns false when a write that was interrupted before still waits for its records: the next start completes it
   */
  async drain(): Promise<boolean> {
    for (const state of this.#states.values()) {
      if (state.phase === 'live') this.#seal(state)
    }
    await Promise.all([...this.#states.values()].map((state) => state.writer.drained()))
    for (const state of this.#states.values()) {
      if (state.phase === 'live') await state.writer.rest()
    }
    return [...this.#states.values()].every(({ pending }) => pending === null)
  }

  /** Gives up on what has not landed; the next start settles it. */
  abandon(): void {
    this.#stopped = true
    for (const state of this.#states.values()) state.writer.fence()
  }

  async #assign(owner: BatchOwner, lanes: readonly Lane[]): Promise<readonly number[]> {
    for (const state of [...this.#states.values()].filter((one) => one.owner === owner)) this.#drop(state)
    const starts: number[] = []
    const fresh: LaneState[] = []
    for (const lane of lanes) {
      const state = this.#open(owner, lane)
      this.#states.set(lane, state)
      fresh.push(state)
    }
    // All positions before the first start, which notes what the others of its topic would be known by.
    const positions: Position[] = []
    for (const state of fresh) positions.push(await this.#insist(state, () => state.writer.position()))
    for (const [i, state] of fresh.entries()) starts.push(await this.#start(state, positions[i] as Position))
    if (fresh.every((state) => state.phase === 'held')) await this.#load()
    return starts
  }

  #open(owner: BatchOwner, lane: Lane): LaneState {
    const { history, clock, log, epoch, reading, events } = this.#options
    const onLanded = ({ hi }: Range, seconds: number): void => {
      events.flushed(seconds)
      lane.landed?.(hi + 1)
      this.#relieve()
    }
    let setLive = (): void => {}
    const whenLive = new Promise<void>((resolve) => {
      setLive = resolve
    })
    return {
      owner,
      lane,
      whenLive,
      setLive: () => setLive(),
      key: `${lane.source}/${lane.partition}`,
      format: lane.format,
      writer: new LaneWriter(lane, { history, clock, log, epoch, onLanded }),
      decoder: reading.decoder(lane.format),
      layouts: new LayoutWatch(),
      phase: 'held',
      pending: null,
      builder: new RangeBuilder(lane.initial, clock.now()),
      held: [],
      paused: false,
    }
  }

  #drop(state: LaneState): void {
    this.#packed.drain()
    state.writer.fence()
    state.setLive()
    this.#watermark.close(state.key)
    this.#problems.delete(state.key)
    this.#options.inputs?.running(state.lane.label)
    this.#states.delete(state.lane)
  }

  /** Writes what the owner's lanes brought, as far as the store takes it now. */
  async #revoke(owner: BatchOwner): Promise<void> {
    const own = [...this.#states.values()].filter((state) => state.owner === owner && state.phase === 'live')
    for (const state of own) this.#seal(state)
    // A store that is away is not waited for: the next owner completes what was announced and reads the rest again.
    await Promise.all(own.filter(({ writer }) => writer.problem === null).map(({ writer }) => writer.drained()))
  }

  #beyond(lane: Lane, latest: number): void {
    const state = this.#states.get(lane)
    if (state !== undefined) this.#stopLane(state, beyond(lane, state.builder.next - 1, latest))
  }

  /** Reads nothing more of the lane until a person has decided. */
  #stopLane(state: LaneState, reason: string): void {
    this.#problems.set(state.key, reason)
    this.#options.log.error(reason, { code: 'offset-above-latest' })
    this.#options.inputs?.stopped(state.lane.label, reason)
    state.writer.fence()
    state.lane.pause()
  }

  /** Finds out where the lane begins and declares what can no longer be read. */
  async #start(state: LaneState, position: Position): Promise<number> {
    const { lane, writer } = state
    const { history, clock, log, reading, inputs } = this.#options
    const start = await laneStart(lane, position, (range) =>
      this.#insist(state, () => history.holds({ ...range, lane: lane.partition })),
    )
    // Meanwhile the lane may have been given up: its watermark must not be opened, for nobody would close it.
    if (writer.fenced) throw new Fault('kafka-fenced', `${lane.label} was given up`, { retryable: false })
    if (start.kind === 'stop') {
      this.#stopLane(state, start.reason)
      return lane.latest ?? lane.initial
    }
    if (position.gone !== undefined) {
      log.warn(`${lane.label}: the topic was deleted and made again; the new one is read from its beginning`)
      inputs?.madeAnew(lane.label)
    }
    if (start.kind === 'settle') {
      state.phase = 'settling'
      state.pending = start.pending
      if (start.pending.cfg !== reading.configHash) {
        log.warn(`${lane.label}: settings changed since a write was interrupted; what had landed stays as it was`)
      }
    } else {
      for (const gap of start.gaps) await this.#declareGap(state, gap)
      if (position.next === null) await this.#insist(state, () => writer.anchor(start.at))
    }
    if (writer.fenced) throw new Fault('kafka-fenced', `${lane.label} was given up`, { retryable: false })
    state.builder = new RangeBuilder(start.at, clock.now())
    this.#watermark.open(state.key, clock.now(), lane.lag() === 0 || lane.latest === start.at)
    return start.at
  }

  async #declareGap(state: LaneState, { source, lo, hi }: Gap): Promise<void> {
    const { log, events, reading, history, inputs } = this.#options
    const { lane, writer } = state
    log.error(`${lane.label}: ${hi - lo + 1} offsets (${lo} to ${hi}) were deleted before they were read`)
    events.records('gap', hi - lo + 1)
    inputs?.lost(lane.label, lo, hi)
    const range = gapRange({ source, lane: lane.partition, lo, hi, configHash: reading.configHash })
    if (source === lane.source) writer.write(range)
    // Offsets of an input that is gone say nothing of the lane's position.
    else await this.#insist(state, () => history.land(range))
  }

  /** Repeats a read until it succeeds or the lane, if it is for one, is lost. */
  async #insist<Value>(state: LaneState | null, read: () => Promise<Value>): Promise<Value> {
    const key = state?.key ?? 'windows'
    const what = state === null ? 'the windows cannot be loaded' : `${state.lane.label}: its position cannot be read`
    for (let pauseMs = 200; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
      if (state?.writer.fenced || this.#stopped) {
        throw new Fault('kafka-fenced', `${what}: it was given up`, { retryable: false })
      }
      try {
        const value = await read()
        this.#problems.delete(key)
        return value
      } catch (error) {
        // A lane that was given up meanwhile leaves no trace.
        if (state?.writer.fenced) continue
        const text = `${what}: ${messageOf(error)}`
        if (this.#problems.get(key) !== text) this.#options.log.warn(`${text}; trying again`)
        this.#problems.set(key, text)
        await this.#options.clock.sleep(pauseMs)
      }
    }
  }

  async #take(lane: Lane, batch: Batch): Promise<void> {
    if (this.#gate !== null) await this.#gate
    const state = this.#states.get(lane)
    if (state === undefined || state.writer.fenced) return
    if (state.phase === 'held') {
      state.held.push(withOwnBytes(batch))
      state.lane.pause()
      return
    }
    this.#consume(state, batch)
    this.#relieve()
    this.#advance()
  }

  #consume(state: LaneState, batch: Batch): void {
    const { events, flushRows, clock, log } = this.#options
    const tally = new Map<string, number>()
    const apart = new Map<ApartKind, number>()
    const last = state.pending?.hi ?? Number.POSITIVE_INFINITY
    // A pending range is not cut anew: its token names exactly these bounds.
    const isOpen = state.pending === null
    const rowsLeft = () => (isOpen ? flushRows - state.builder.size : Number.POSITIVE_INFINITY)
    const taken = (): void => {
      if (isOpen && (rowsLeft() <= 0 || state.builder.days > longestRangeDays)) this.#seal(state)
    }
    const context = { live: state.phase === 'live', now: clock.now(), tally, apart, last, rowsLeft, taken }
    for (const piece of piecesOf(batch)) {
      const part = isPacked(piece) ? this.#packed.take(state, piece, context) : piece
      if (part === null || lastOffset(part) < state.builder.next) continue
      if (firstOffset(part) > last) break
      if (isUnreadable(part)) this.#bury(state, part, context)
      else this.#intake.take(state, part, context)
      state.builder.next = lastOffset(part) + 1
      taken()
    }
    state.builder.next = Math.max(state.builder.next, Math.min(batch.hi, last) + 1)
    for (const [result, count] of tally) events.records(result, count)
    for (const [kind, count] of apart) events.refusalsApart(kind, count)
    this.#judge(state.lane, tally)
    const layout = state.layouts.news(state.decoder.layout)
    if (layout !== null) log.info(`${state.lane.label}: ${layout}`)
    if (state.pending !== null && state.builder.next > last) this.#settle(state, batch)
  }

  /** A part that cannot be had is passed over. */
  #bury(state: LaneState, part: Unreadable, { now, tally }: { now: number; tally: Map<string, number> }): void {
    const { log, reading } = this.#options
    const letter = letterOf(part, now, reading.sketch(null))
    log.error(`${state.lane.label}: ${letter.message}: passed over, and counted as a dead letter`)
    state.builder.deadLetters.push(letter)
    tally.set(letter.reason, (tally.get(letter.reason) ?? 0) + 1)
  }

  /** When most of an input cannot be read, it is probably our reading that is wrong, and a person must look. */
  #judge(lane: Lane, tally: ReadonlyMap<string, number>): void {
    let all = 0
    for (const count of tally.values()) all += count
    const readable = [...readableResults].reduce((sum, result) => sum + (tally.get(result) ?? 0), 0)
    this.#options.inputs?.values(lane.label, all, all - readable)
  }

  /** The interrupted range is read again in full: land it, and when no other lane settles any more, load the windows. */
  #settle(state: LaneState, batch: Batch): void {
    const { next } = state.builder
    if (next <= batch.hi) state.held.push(withOwnBytes({ ...batch, lo: next }))
    state.lane.pause()
    const source = state.pending?.source ?? state.lane.source
    state.pending = null
    state.phase = 'held'
    this.#seal(state, source)
    this.#goOn(state)
  }

  #goOn(state: LaneState): void {
    this.#settled(state).catch((error: unknown) => {
      // Given up while the windows were loaded: whoever did it knows.
      if (!(error instanceof Fault && error.code === 'kafka-fenced')) throw error
    })
  }

  async #settled(state: LaneState): Promise<void> {
    await state.writer.drained()
    if (state.writer.fenced) return
    this.#options.log.info(`${state.lane.label}: completed the write that was interrupted`)
    if ([...this.#states.values()].some((one) => one.phase === 'settling')) return
    await this.#load()
  }

  /** @param source the name under which an interrupted range had begun to land */
  #seal(state: LaneState, source = state.lane.source): void {
    const { clock, reading } = this.#options
    this.#packed.drain()
    if (state.builder.empty) {
      state.builder = new RangeBuilder(state.builder.next, clock.now())
      return
    }
    const range = state.builder.seal({ source, lane: state.lane.partition, configHash: reading.configHash })
    state.builder = new RangeBuilder(state.builder.next, clock.now())
    state.writer.write(range)
  }

  async #lost(lane: Lane, lo: number, hi: number): Promise<void> {
    const state = this.#states.get(lane)
    if (state === undefined || state.writer.fenced) return
    if (state.pending !== null) {
      await this.#lostWhileSettling(state, state.pending, hi)
      return
    }
    this.#seal(state)
    const from = Math.max(lo, state.builder.next)
    if (from <= hi) await this.#declareGap(state, { source: lane.source, lo: from, hi })
    state.builder = new RangeBuilder(Math.max(hi + 1, state.builder.next), this.#options.clock.now())
  }

  /** Part of an interrupted range is gone, so it cannot be repeated as it was cut: the ledger knows whether it had landed. */
  async #lostWhileSettling(state: LaneState, pending: Pending, hi: number): Promise<void> {
    const { history, clock } = this.#options
    const { lane } = state
    const { source, lo, hi: last } = pending
    const held = await this.#insist(state, () => history.holds({ source, lane: lane.partition, lo, hi: last }))
    if (!held) await this.#declareGap(state, { source, lo, hi: last })
    if (hi > last) await this.#declareGap(state, { source: lane.source, lo: last + 1, hi })
    state.builder = new RangeBuilder(Math.max(hi, last) + 1, clock.now())
    lane.pause()
    state.pending = null
    state.phase = 'held'
    this.#goOn(state)
  }

  async #end(lane: Lane): Promise<void> {
    const state = this.#states.get(lane)
    if (state === undefined) return
    if (state.phase === 'settling' && state.pending !== null) {
      // The input is shorter than it was: what is left of the interrupted range lands under its old bounds.
      state.builder.next = state.pending.hi + 1
      this.#settle(state, { lo: state.builder.lo, hi: state.pending.hi, values: [] })
    }
    await state.whenLive
    if (state.writer.fenced) return
    this.#seal(state)
    await state.writer.drained()
    await state.writer.rest()
    this.#watermark.close(state.key)
    this.#states.delete(lane)
    this.#advance()
  }

  /** Loads the windows from history, one load at a time; everything taken before must be in history first. */
  #load(): Promise<void> {
    const next = this.#loading.then(() => this.#loadOnce())
    this.#loading = next.catch(() => undefined)
    return next
  }

  async #loadOnce(): Promise<void> {
    const held = [...this.#states.values()].filter((state) => state.phase === 'held')
    let open = (): void => {}
    this.#gate = new Promise((resolve) => {
      open = resolve
    })
    try {
      const live = [...this.#states.values()].filter((state) => state.phase === 'live')
      for (const state of live) this.#seal(state)
      await Promise.all(live.map((state) => state.writer.drained()))
      const loaded = await this.#loaded()
      this.#foldedBefore += this.#windows?.foldedCount ?? 0
      this.#windows = loaded
    } finally {
      this.#gate = null
      open()
    }
    for (const state of held) {
      if (state.writer.fenced) continue
      state.phase = 'live'
      state.setLive()
      for (const batch of state.held.splice(0)) this.#consume(state, batch)
      if (!state.paused) state.lane.resume()
    }
  }

  async #loaded(): Promise<Windows> {
    const { history, clock, lifetime, seriesLimit, seriesLimitPerTenant, resumeAtMs } = this.#options
    const mine = [...this.#states.values()].map(({ lane }) => ({ source: lane.source, lane: lane.partition }))
    const reach = longestWindowMs + resumeReachMs
    const fromMs = (this.#windows?.endMs ?? resumeAtMs ?? clock.now()) - reach
    const rows = await this.#insist(null, () => history.windowRows(fromMs, mine))
    const windows = new Windows({ seriesLimit, seriesLimitPerTenant, lifetime })
    let newest = 0
    let oldest = Number.POSITIVE_INFINITY
    for (const { slice } of rows) {
      newest = Math.max(newest, (slice + 1) * sliceMs)
      oldest = Math.min(oldest, slice * sliceMs)
    }
    const resume = this.#windows?.endMs ?? resumeAtMs
    if (resume === null && newest === 0) return windows
    // Evaluation goes on where it ended, so that a restart between two steps changes nothing, unless that is too long ago.
    const endMs = Math.max(resume ?? newest - sliceMs, newest - resumeReachMs)
    windows.openAt(endMs, Math.min(endMs, oldest))
    for (const row of rows) {
      const series = windows.series(row.tenant, row.api)
      windows.add(series, row.slice, { requests: row.requests, refusals: row.paymentRequired, cause: row.cause })
    }
    return windows
  }

  #openWindows(firstMs: EpochMs): Windows {
    const { lifetime, seriesLimit, seriesLimitPerTenant, latenessMs, resumeAtMs } = this.#options
    this.#windows ??= new Windows({ seriesLimit, seriesLimitPerTenant, lifetime })
    // The first record seen is seldom the oldest: lanes are read side by side.
    if (this.#windows.endMs === null) this.#windows.openAt(resumeAtMs ?? firstMs - latenessMs - 60_000)
    return this.#windows
  }

  #advance(): void {
    const watermark = this.#watermark.value()
    if (watermark !== null && this.#gate === null) this.#advanceTo(watermark)
  }

  #advanceTo(endMs: EpochMs): void {
    const windows = this.#windows
    if (windows === null || endMs < (windows.endMs ?? 0) + sliceMs) return
    this.#packed.drain()
    for (const end of windows.advanceTo(endMs)) this.#options.onSlice(end, windows)
  }

  /** Pauses the lanes while too much waits for history, resumes them once half of it is gone. */
  #relieve(): void {
    let waiting = 0
    for (const { builder, writer } of this.#states.values()) waiting += builder.size + writer.waiting
    const bytes = waiting * waitingRowBytes
    for (const state of this.#states.values()) {
      if (state.phase !== 'live') continue
      if (!state.paused && bytes > this.#options.memoryLimitBytes) {
        state.paused = true
        state.lane.pause()
      } else if (state.paused && bytes < this.#options.memoryLimitBytes / 2) {
        state.paused = false
        state.lane.resume()
      }
    }
  }
}
