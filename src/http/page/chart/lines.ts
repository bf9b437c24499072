import { causeColours } from '../../../classify/cause-colours.ts'
import type { Trends } from '../answers.ts'
import { causeName, colourOf } from '../causes.ts'
import { columnTimes, shiftSeconds } from './stacked.ts'

/** How many lines a chart tells apart. */
const mostLines = 8

/** For tenants and APIs, which have no colour of their own; those of the causes, told apart by most eyes. */
const palette = [
  causeColours.quota_exceeded,
  causeColours.insufficient_funds,
  causeColours.authentication_missing,
  causeColours.subscription_expired,
  causeColours.invalid_payment_info,
  causeColours.resource_exhausted,
  causeColours.payment_gateway_error,
  causeColours.permission_denied,
] as const

export interface Line {
  /** As the API names it; `other` for the rest together. */
  readonly id: string
  readonly name: string
  readonly colour: string
  /** Per column; null where there is no data. */
  readonly refused: readonly (number | null)[]
  readonly requests: readonly (number | null)[]
  readonly totalRefused: number
  readonly totalRequests: number
  /** The same a week before; null when it was not asked for. */
  readonly before: { readonly refused: readonly (number | null)[]; readonly totalRefused: number } | null
}

export interface Lines {
  /** Start of each column, epoch seconds, ascending. */
  readonly times: readonly number[]
  readonly lines: readonly Line[]
  /** How many series are in the line called other. */
  readonly folded: number
}

/** Puts the series on one time axis: the eight that refuse most, and the others as one. */
export function linesOf(trends: Trends, by: 'cause' | 'tenant' | 'api', before: Trends | null): Lines {
  const times = columnTimes(trends)
  const shift = before === null ? 0 : shiftSeconds(trends, before)
  const all = trends.series
    .map((one) => ({ id: one.labels[by] ?? '', ...columnsOf(one, times, 0) }))
    .filter(({ id }) => by !== 'cause' || id !== '')
    .sort((a, b) => b.totalRefused - a.totalRefused)
  const earlier = new Map(
    (before?.series ?? []).map((one) => [one.labels[by] ?? '', columnsOf(one, times, shift)] as const),
  )
  const named = all.slice(0, mostLines).map((one, i) => ({
    ...one,
    name: by === 'cause' ? causeName(one.id) : one.id,
    colour: by === 'cause' ? colourOf(one.id) : (palette[i] ?? causeColours.other),
    before: before === null ? null : (earlier.get(one.id) ?? nothing(times)),
  }))
  const rest = all.slice(mostLines)
  if (rest.length === 0) return { times, lines: named, folded: 0 }
  const other = { id: 'other', name: `${rest.length} others`, colour: causeColours.other, before: null }
  // Beside causes every series carries all requests; beside tenants and APIs each its own.
  const requests = by === 'cause' ? (rest[0]?.requests ?? []) : sum(rest.map((one) => one.requests))
  const totalRequests =
    by === 'cause' ? (rest[0]?.totalRequests ?? 0) : rest.reduce((all, one) => all + one.totalRequests, 0)
  const refused = sum(rest.map((one) => one.refused))
  const totalRefused = rest.reduce((all, one) => all + one.totalRefused, 0)
  return { times, lines: [...named, { ...other, refused, requests, totalRefused, totalRequests }], folded: rest.length }
}

function columnsOf({ points }: Trends['series'][number], times: readonly number[], shift: number) {
  const column = new Map(times.map((time, i) => [time, i]))
  const refused = times.map((): number | null => null)
  const requests = times.map((): number | null => null)
  let totalRefused = 0
  let totalRequests = 0
  for (const point of points) {
    const i = column.get(Date.parse(point.time) / 1_000 + shift)
    if (i === undefined) continue
    refused[i] = point.payment_required
    requests[i] = point.requests
    totalRefused += point.payment_required
    totalRequests += point.requests
  }
  return { refused, requests, totalRefused, totalRequests }
}

function nothing(times: readonly number[]) {
  return { refused: times.map(() => null), totalRefused: 0 }
}

function sum(columns: readonly (readonly (number | null)[])[]): readonly (number | null)[] {
  return (columns[0] ?? []).map((_, i) => {
    const known = columns.flatMap((column) => column[i] ?? [])
    return known.length === 0 ? null : known.reduce((all, value) => all + value, 0)
  })
}

/** What is drawn of a line: refusals per column, or their share of the requests. */
export function valuesOf(line: Pick<Line, 'refused' | 'requests'>, measure: 'refused' | 'share'): (number | null)[] {
  if (measure === 'refused') return [...line.refused]
  return line.refused.map((value, i) => {
    const requests = line.requests[i] ?? 0
    return value === null || requests === 0 ? null : value / requests
  })
}
