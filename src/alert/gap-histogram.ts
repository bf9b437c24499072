import type { SeriesMemory } from './series-memory.ts'

/**
 * Lower ends, in minutes, of the bins that times of silence fall in: finer than a third of themselves, up to a fortnight.
 */
const edges = binEdges()
export const gapBins: number = edges.length

function binEdges(): readonly number[] {
  const found = [0, 1, 2, 3]
  for (let edge = 4; edge < 14 * 24 * 60; edge *= 4 / 3) found.push(Math.ceil(edge))
  return found
}

/**
 * Adds a silence that has ended: for each minute of it, how long it had lasted by then. So what is learnt is how much
 * of its time a series is silent for so long, and one long night weighs as many minutes as it has.
 */
export function addGap(memory: SeriesMemory, place: number, from: number, minutes: number): void {
  for (let bin = 0; bin < gapBins; bin++) {
    const low = edges[bin] ?? 0
    if (low >= minutes) return
    memory.add(place, from + bin, Math.min(minutes, edges[bin + 1] ?? minutes) - low)
  }
}

/** The silence, in minutes, that a series stays below for this share of its time. */
export function usualGap(memory: SeriesMemory, place: number, from: number, share: number): number {
  let total = 0
  for (let bin = 0; bin < gapBins; bin++) total += memory.get(place, from + bin)
  let rest = share * total
  for (let bin = 0; bin < gapBins; bin++) {
    const count = memory.get(place, from + bin)
    const low = edges[bin] ?? 0
    const high = edges[bin + 1] ?? low
    if (rest <= count && count > 0) return low + (high - low) * (rest / count)
    rest -= count
  }
  return 0
}
