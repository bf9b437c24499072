import type { EpochMs } from '../time/clock.ts'
import { hourMs, minuteMs } from '../time/duration.ts'
import { type Grouping, type GroupingPlan, noGroup, planGrouping } from './grouping.ts'
import type { Memory, SavedChunk, SavedHead, SavedMemory } from './memory.ts'
import { GroupFilter, rowMatchers } from './reading.ts'
import type { Rule } from './rule.ts'
import { SeriesMemory } from './series-memory.ts'
import type { Groupings, StepSums } from './step-sums.ts'
import { WatchLog } from './watch-log.ts'

/** The first field of every row: the end of the last minute that was counted into it. */
const fedField = 0
/** The first field that is free for those who use the feed. */
export const firstField = 1

/** One minute of one series. It is written anew for each: whoever visits it does not keep it. */
export interface MinuteCounts {
  readonly refusals: number
  readonly requests: number
  /** End of the minute. */
  readonly endMs: EpochMs
  /** End of the last minute in which the series did something; 0 if this is the first. */
  readonly lastMs: EpochMs
  /** Number of the minute among those that were watched. */
  readonly tick: number
}

export interface MinuteFeedOptions {
  readonly rule: Rule
  readonly groupings: Groupings
  /** What decides whether saved numbers still mean the same. */
  readonly shape: string
  /** Numbers for each series, beside the one that the feed keeps for itself. */
  readonly fields: number
  readonly seriesLimit: number
  /** What makes a series known: a request, or a refusal. */
  readonly meets: 'requests' | 'refusals'
}

/**
 * Counts whole minutes of every series into a memory that reaches further back than the windows, each minute once: also
 * after a crash, when the chunks of the memory were saved at different times, for as far back as the windows hold.
 *
 * It counts minutes as they are watched. Over a gap in event time nobody looked, and whoever measures silence in these
 * ticks does not mistake an absent daemon for an absent tenant.
 */
export class MinuteFeed implements Memory {
  readonly series: SeriesMemory
  /** End of the last minute that was counted; null before the first. */
  fedToMs: EpochMs | null = null
  /** Minutes that were watched. */
  ticks = 0
  readonly watched: WatchLog = new WatchLog()
  /** Series that found no room in the last minute. */
  turnedAway = 0
  readonly #shape: string
  readonly #plan: GroupingPlan
  readonly #filter: GroupFilter
  readonly #groupings: Groupings
  readonly #meets: 'requests' | 'refusals'
  /** Up to where the oldest chunk is counted, after a crash; null if all are as new as the head. */
  #repairFromMs: EpochMs | null = null
  #placeOf: Int32Array = new Int32Array(0)
  #placesKnownFor: Grouping | null = null

  constructor({ rule, groupings, shape, fields, seriesLimit, meets }: MinuteFeedOptions) {
    this.series = new SeriesMemory({ width: firstField + fields, seriesLimit })
    this.#groupings = groupings
    this.#plan = planGrouping(rule.groupBy, rowMatchers(rule))
    this.#filter = new GroupFilter(rule)
    this.#shape = JSON.stringify([1, this.#plan.id, rule.matchers.map(({ value }) => value), shape])
    this.#meets = meets
  }

  get grouping(): Grouping {
    return this.#groupings.get(this.#plan)
  }

  labelsOf(key: string): Record<string, string> {
    return labelsOfKey(key, this.#plan.by)
  }

  /** Counts every minute that has ended since the last call; `visit` sees the series that did something in it. */
  feed(sums: StepSums, visit: (place: number, counts: MinuteCounts) => void): void {
    const toMs = Math.floor(sums.atMs / minuteMs) * minuteMs
    if (this.fedToMs !== null && toMs <= this.fedToMs) return
    // The windows hold an hour; what is further back is not known, and not counted.
    const heldMs = Math.max(toMs - hourMs, Math.ceil((sums.view.oldestMs ?? toMs) / minuteMs) * minuteMs)
    const fromMs = Math.max(heldMs, Math.min(this.#repairFromMs ?? toMs, this.fedToMs ?? heldMs))
    for (let endMs = fromMs + minuteMs; endMs <= toMs; endMs += minuteMs) {
      if (endMs > (this.fedToMs ?? 0)) {
        this.ticks++
        this.fedToMs = endMs
      }
      const tick = this.ticks - ((this.fedToMs ?? endMs) - endMs) / minuteMs
      this.#minute(sums, endMs, tick, visit)
    }
    this.#repairFromMs = null
    if (fromMs < toMs) this.watched.note(fromMs, toMs)
    this.fedToMs = toMs
  }

  #minute(sums: StepSums, endMs: EpochMs, tick: number, visit: (place: number, counts: MinuteCounts) => void): void {
    const { grouping, series } = this
    const { refusals, requests } = sums.sums(grouping, minuteMs, endMs)
    const placeOf = this.#placesOf(grouping)
    const newcomers: number[] = []
    const counts = { refusals: 0, requests: 0, endMs, lastMs: 0, tick }
    const take = (place: number, refused: number, asked: number) => {
      counts.lastMs = series.get(place, fedField)
      if (counts.lastMs >= endMs) return
      series.set(place, fedField, endMs)
      counts.refusals = refused
      counts.requests = asked
      visit(place, counts)
    }
    for (let group = 0; group < refusals.length; group++) {
      const refused = refusals[group] ?? 0
      const asked = requests[grouping.exposureOf[group] ?? noGroup] ?? 0
      // Which groups by cause are known depends on when we started: their requests alone must not count.
      if (refused === 0 && (asked === 0 || this.#meets === 'refusals')) continue
      // A series that was saved may be known before the group that it comes back as.
      const place = placeOf[group] === noGroup ? series.placeOf(grouping.keys[group] ?? '') : placeOf[group]
      if (place !== undefined) {
        placeOf[group] = place
        take(place, refused, asked)
      } else if (this.#filter.passes(grouping, group)) newcomers.push(group)
    }
    // In the order of their keys, or it would depend on that of the windows who finds room.
    newcomers.sort((a, b) => ((grouping.keys[a] ?? '') < (grouping.keys[b] ?? '') ? -1 : 1))
    this.turnedAway = 0
    for (const group of newcomers) {
      const place = series.create(grouping.keys[group] ?? '')
      if (place === null) {
        this.turnedAway++
        continue
      }
      placeOf[group] = place
      take(place, refusals[group] ?? 0, requests[grouping.exposureOf[group] ?? noGroup] ?? 0)
    }
  }

  /** The end of the last minute in which a series did something. */
  seenMs(place: number): EpochMs {
    return this.series.get(place, fedField)
  }

  forget(place: number): void {
    this.series.forget(place)
    this.#placesKnownFor = null
  }

  /** The number, in the present grouping, of the series with this key. */
  groupOf(key: string): number {
    return this.grouping.numberOf(key)
  }

  get chunkCount(): number {
    return this.series.chunkCount
  }

  saveHead(): SavedFeed {
    return { shape: this.#shape, fedToMs: this.fedToMs, ticks: this.ticks, watched: this.watched.save() }
  }

  saveChunk(chunk: number): SavedChunk & { fedToMs: EpochMs | null } {
    return { shape: this.#shape, fedToMs: this.fedToMs, ...this.series.saveChunk(chunk) }
  }

  load({ head, chunks }: SavedMemory): void {
    if (head.shape !== this.#shape) return
    this.fedToMs = head.fedToMs
    // The shape is the same, so it was this class that wrote it.
    const { ticks, watched } = head as SavedFeed
    this.ticks = ticks
    this.watched.load(watched)
    for (const chunk of chunks) {
      if (chunk.shape !== this.#shape || !this.series.loadChunk(chunk)) continue
      const fedToMs = 'fedToMs' in chunk && typeof chunk.fedToMs === 'number' ? chunk.fedToMs : null
      if (fedToMs === null || fedToMs === this.fedToMs) continue
      this.#repairFromMs = Math.min(fedToMs, this.#repairFromMs ?? fedToMs)
    }
  }

  settle(): void {}

  chunkOf(key: string): number | undefined {
    const place = this.series.placeOf(key)
    return place === undefined ? undefined : Math.floor(place / this.series.chunkPlaces)
  }

  /** The place of each group, kept in step with the grouping. */
  #placesOf(grouping: Grouping): Int32Array {
    const old = this.#placesKnownFor === grouping ? this.#placeOf : null
    if (old !== null && old.length >= grouping.size) return old
    const placeOf = new Int32Array(Math.max(64, Math.ceil(grouping.size * 1.5))).fill(noGroup)
    for (let group = 0; group < grouping.size; group++) {
      placeOf[group] = this.series.placeOf(grouping.keys[group] ?? '') ?? noGroup
    }
    this.#placeOf = placeOf
    this.#placesKnownFor = grouping
    return placeOf
  }
}

interface SavedFeed extends SavedHead {
  readonly ticks: number
  readonly watched: readonly (readonly [EpochMs, EpochMs])[]
}

/** The labels that a group's key was made of. */
export function labelsOfKey(key: string, by: readonly string[]): Record<string, string> {
  const values: unknown = JSON.parse(key)
  const labels: Record<string, string> = {}
  for (const [at, label] of by.entries()) if (Array.isArray(values)) labels[label] = String(values[at])
  return labels
}
