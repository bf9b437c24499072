import type { EpochMs } from '../time/clock.ts'
import { dayMs, minuteMs } from '../time/duration.ts'
import type { AlertFact } from './alert.ts'
import { untilBusy } from './day-cycle.ts'
import { type RunOutRange, runOutRange } from './quota-forecast.ts'
import { type QuotaStand, rearmed } from './quota-tracks.ts'
import type { Words } from './reading.ts'
import { spanText } from './span.ts'
import { formatCount, formatPercent } from './summary.ts'

/** What a quota's alert says. */
export interface QuotaText {
  readonly words: Words
  readonly facts: readonly AlertFact[]
}

export interface QuotaOutlook {
  /** Of running out within the span ahead; null where it is not known yet. */
  readonly chance: number | null
  readonly aheadMs: number
  readonly nowMs: EpochMs
}

/** @param labels those of the alert: tenant, API and quota as far as it has them */
export function quotaText(
  labels: Readonly<Record<string, string>>,
  stand: QuotaStand,
  { chance, aheadMs, nowMs }: QuotaOutlook,
): QuotaText {
  const { used, limit, resetAtMs, rate, cycle, ended } = stand
  const place = labels['api'] === undefined ? '' : ` on ${labels['api']}`
  const name = `quota ${labels['quota'] ?? ''}`
  const owner = labels['tenant'] === undefined ? '' : ` of ${labels['tenant']}`
  const who = `The ${name}${owner}${place}`
  const share = wholePercent(used / limit)
  const amount = `${formatCount(Math.max(0, used))} of ${formatCount(limit)}`
  const range = used < limit ? runOutRange(limit - used, rate) : null
  const reset = resetAtMs === null ? '' : `resets ${clockText(resetAtMs, nowMs)}`
  const timeOf = (busy: number | null) => (busy === null ? null : untilBusy(cycle, nowMs, busy) * minuteMs)
  const runsOut = runsOutText(range, timeOf, chance)
  const likely = chance !== null && chance >= 0.5
  const outlook = used >= limit ? 'it is used up' : runsOut === '' || !likely ? '' : `it runs out ${runsOut}`
  const parts = [outlook, reset].filter((text) => text !== '')
  const subject =
    labels['tenant'] === undefined
      ? `${who} is used to ${share}`
      : `${labels['tenant']} has used ${share} of its ${name}${place}`
  const now = `${subject} (${amount})${parts.length === 0 ? '' : `; ${parts.join(', ')}`}`
  const over =
    ended === rearmed.limit
      ? `${who} has a new limit of ${formatCount(limit)}, and its alert ends`
      : ended === rearmed.reset
        ? `${who} has been reset, and its alert ends`
        : `${who} is no longer near its limit, with ${amount} used (${share}),`
  const facts: AlertFact[] = [{ label: 'Used', text: `${amount} (${share})` }]
  const notSoon = chance === null ? 'not known yet' : `probably not in the next ${spanText(aheadMs)}`
  const when = [used >= limit ? 'now' : likely ? runsOut : notSoon, reset].filter((text) => text !== '').join(', ')
  if (when !== '') facts.push({ label: 'Runs out', text: when })
  if (rate.mean > 0) facts.push({ label: 'Rate', text: rateText(rate.mean) })
  if (stand.learned) facts.push({ label: 'Limit from', text: 'where refusals began before; the gateway logs no quota' })
  return { words: { now, calm: `${who} is no longer near its limit: ${amount} used (${share})`, over }, facts }
}

/** `in 3 h (2 h to 5 h, 93 % sure)`; empty where nothing can be said. */
function runsOutText(
  range: RunOutRange | null,
  timeOf: (busy: number | null) => number | null,
  chance: number | null,
): string {
  const [early, middle, late] = [range?.early, range?.middle, range?.late].map((busy) => timeOf(busy ?? null))
  if (typeof middle !== 'number' || chance === null) return ''
  const from = typeof early !== 'number' ? '' : spanText(early)
  const to = typeof late !== 'number' ? 'never' : spanText(late)
  const between = from === '' || from === to ? '' : `${from} to ${to}, `
  return `in ${spanText(middle)} (${between}${wholePercent(Math.min(chance, 0.99))} sure)`
}

function wholePercent(share: number): string {
  return share > 0 && share < 0.01 ? formatPercent(share) : `${Math.floor(share * 100 + 1e-9)} %`
}

function rateText(perMinute: number): string {
  const perHour = perMinute * 60
  if (perHour < 2) return `${formatCount(perHour * 24)} a day`
  return perMinute < 10 ? `${formatCount(perHour)} an hour` : `${formatCount(perMinute)} a minute`
}

export const months: readonly string[] = [
  'Jan',
  'Feb',
  'Mar',
  'Apr',
  'May',
  'Jun',
  'Jul',
  'Aug',
  'Sep',
  'Oct',
  'Nov',
  'Dec',
]

/** `18:00 UTC`, on another day `3 Mar 18:00 UTC`. */
export function clockText(atMs: EpochMs, nowMs: EpochMs): string {
  const date = new Date(Math.round(atMs / minuteMs) * minuteMs)
  const time = `${String(date.getUTCHours()).padStart(2, '0')}:${String(date.getUTCMinutes()).padStart(2, '0')} UTC`
  if (Math.floor(date.getTime() / dayMs) === Math.floor(nowMs / dayMs)) return time
  return `${date.getUTCDate()} ${months[date.getUTCMonth()] ?? ''} ${time}`
}
