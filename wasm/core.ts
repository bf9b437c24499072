// The core: finds the values of a chunk, recognises the records that the host has learnt, and counts them. The host
// (src/core/wasm-engine.ts) owns time, names and meaning; nothing here knows a gateway.

export { cells as cellsAt, cellCount, clearCells } from './cells'
export { allowPair, begin, clearRefused, clearTallies, count, mentioned, refused as refusedAt, refusedCount, setTerms, stopped, tallies as talliesAt, terms as termsAt } from './count'
export { frameLines, frameRecords, offsets as offsetsAt, arrivals as arrivalsAt, starts as startsAt, lengths as lengthsAt } from './frame'
export { addWord, forgetKnown, know, nameAt, pairAt, pairCount } from './names'
export { addShape, forgetShapes, outcomesAt, run, setOptions, statusesAt, timesAt } from './read'
export { kinds as kindsAt, nodes as nodesAt, numbers as numbersAt, setSlotCount, slots as slotsAt, spans as spansAt, watched as watchedAt, wordSlot, wordAt, wordLength } from './scan'

export function alloc(bytes: usize): usize {
  return heap.alloc(bytes + 64)
}
