import type { EpochMs } from '../time/clock.ts'

/** More interruptions than this in the time that rules look back: the oldest are forgotten. */
const mostSpans = 500

/** Which parts of event time were watched. Over the rest nobody counted, and nothing can be said of it. */
export class WatchLog {
  #spans: [EpochMs, EpochMs][] = []

  note(fromMs: EpochMs, toMs: EpochMs): void {
    const last = this.#spans.at(-1)
    if (last !== undefined && fromMs <= last[1]) {
      last[1] = Math.max(last[1], toMs)
      return
    }
    this.#spans.push([fromMs, toMs])
    if (this.#spans.length > mostSpans) this.#spans.shift()
  }

  /** How much of a span was watched. */
  watchedMs(fromMs: EpochMs, toMs: EpochMs): number {
    let watched = 0
    for (const [from, to] of this.#spans) watched += Math.max(0, Math.min(to, toMs) - Math.max(from, fromMs))
    return watched
  }

  /** Since when there was no interruption; null before the first note. */
  get unbrokenSinceMs(): EpochMs | null {
    return this.#spans.at(-1)?.[0] ?? null
  }

  save(): readonly (readonly [EpochMs, EpochMs])[] {
    return this.#spans.map(([from, to]) => [from, to])
  }

  load(spans: readonly (readonly [EpochMs, EpochMs])[]): void {
    this.#spans = spans.map(([from, to]) => [from, to])
  }
}
