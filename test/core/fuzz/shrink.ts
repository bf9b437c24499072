import { Buffer } from 'node:buffer'
import type { Entry } from './packing.ts'
import { type Chunk, checked, type Round } from './round.ts'
import type { Mismatch } from './wrong-outcome.ts'

/** A round that goes wrong and cannot easily be made smaller. */
export interface Shrunk {
  readonly round: Round
  readonly mismatch: Mismatch
}

/**
 * Makes a failing round smaller by simple means: fewer values, each with fewer members. It need not stay the same
 * mismatch.
 *
 * @param tries how many smaller rounds are tried at most
 */
export function shrunk(round: Round, mismatch: Mismatch, tries = 3_000): Shrunk {
  let best: Shrunk = { round, mismatch }
  let left = tries
  const fails = (smaller: Round): boolean => {
    if (left <= 0) return false
    left--
    const found = checked(smaller).mismatch
    if (found !== null) best = { round: smaller, mismatch: found }
    return found !== null
  }
  for (let size = -1; size !== sizeOf(best.round) && left > 0; ) {
    size = sizeOf(best.round)
    withoutExtras(best.round).forEach(fails)
    fewerValues(() => best.round, fails)
    fewerMembers(() => best.round, fails)
  }
  return best
}

function sizeOf({ chunks }: Round): number {
  return chunks.reduce(
    (sum, { entries }) => sum + entries.reduce((bytes, { value }) => bytes + 1 + (value?.length ?? 0), 0),
    0,
  )
}

/** Without gaps, second tries and the like. */
function withoutExtras(round: Round): readonly Round[] {
  const chunks = round.chunks.map(({ entries }) => ({ entries, heldBack: 0, notAsked: 0 }))
  const even = chunks.map((chunk) => ({ ...chunk, entries: chunk.entries.map((entry) => ({ ...entry, gap: 0 })) }))
  return [
    { ...round, chunks },
    { ...round, chunks: even },
    { ...round, chunks: [{ entries: even.flatMap(({ entries }) => entries), heldBack: 0, notAsked: 0 }] },
  ]
}

/** Takes out runs of values, long ones first. */
function fewerValues(current: () => Round, fails: (round: Round) => boolean): void {
  const count = () => current().chunks.reduce((sum, { entries }) => sum + entries.length, 0)
  for (let run = Math.ceil(count() / 2); run >= 1; run = run === 1 ? 0 : Math.ceil(run / 2)) {
    for (let at = 0; at < count(); ) if (!fails(without(current(), at, run))) at += run
  }
}

function without(round: Round, from: number, count: number): Round {
  let at = 0
  const chunks = round.chunks.map((chunk): Chunk => {
    const entries = chunk.entries.filter((_, i) => at + i < from || at + i >= from + count)
    at += chunk.entries.length
    return {
      entries,
      heldBack: Math.min(chunk.heldBack, Math.max(0, entries.length - 1)),
      notAsked: Math.min(chunk.notAsked, entries.length),
    }
  })
  return { ...round, chunks: chunks.filter(({ entries }) => entries.length > 0) }
}

/** Takes members out of those values that are JSON. */
function fewerMembers(current: () => Round, fails: (round: Round) => boolean): void {
  const count = current().chunks.reduce((sum, { entries }) => sum + entries.length, 0)
  // Of many values each is only one of many to blame.
  if (count > 40) return
  for (let at = 0; at < count; at++) {
    for (let progress = true; progress; ) {
      const value = valueAt(current(), at)
      progress = value !== null && smallerValues(value).some((smaller) => fails(withValue(current(), at, smaller)))
    }
  }
}

function valueAt({ chunks }: Round, at: number): Buffer | null {
  return chunks.flatMap(({ entries }) => entries)[at]?.value ?? null
}

function withValue(round: Round, at: number, value: Buffer): Round {
  let from = 0
  const chunks = round.chunks.map((chunk) => {
    const entries = chunk.entries.map((entry, i): Entry => (from + i === at ? { ...entry, value } : entry))
    from += chunk.entries.length
    return { ...chunk, entries }
  })
  return { ...round, chunks }
}

function smallerValues(value: Buffer): readonly Buffer[] {
  try {
    const parsed: unknown = JSON.parse(value.toString())
    return JSON.stringify(parsed) === value.toString()
      ? lessOf(parsed).map((one) => Buffer.from(JSON.stringify(one)))
      : [Buffer.from(JSON.stringify(parsed))]
  } catch {
    return []
  }
}

/** The value with one member or item less, at any depth. */
function lessOf(value: unknown): readonly unknown[] {
  if (typeof value !== 'object' || value === null) return []
  if (Array.isArray(value)) return value.map((_, i) => value.filter((_item, j) => j !== i))
  return Object.entries(value).flatMap(([key, inner]) => {
    const rest = Object.entries(value).filter(([name]) => name !== key)
    const smaller = lessOf(inner).map((less) =>
      Object.fromEntries(Object.entries(value).map(([name, old]) => [name, name === key ? less : old])),
    )
    return [Object.fromEntries(rest), ...smaller]
  })
}
