import { hourMs, minuteMs } from '../time/duration.ts'
import type { BurnWindow } from './rule.ts'

/** Refusals and requests of one span. */
export interface Spent {
  readonly bad: number
  readonly total: number
}

/**
 * How fast the error budget is being spent: 1 is exactly on budget, 14.4 spends 30 days' worth in 50 hours.
 *
 * @param objective share of requests that should not be refused, in (0, 1)
 * @returns multiples of the budgeted rate, from 0 up; 0 without requests
 * @see Google SRE Workbook, chapter 5 "Alerting on SLOs"
 */
export function burnRate({ bad, total }: Spent, objective: number): number {
  return total > 0 ? bad / total / (1 - objective) : 0
}

/** From this factor on a window needs more refusals than there are requests. */
export function highestFactor(objective: number): number {
  return 1 / (1 - objective)
}

/**
 * The windows of the SRE Workbook: 2 % of the budget in 1 h or 5 % in 6 h are a page, 10 % in 1 d or in 3 d a ticket.
 * A factor is the share of the budget times the period over the window; for 30 days that is 14.4, 6, 3 and 1.
 */
export function googleWindows(periodMs: number): readonly BurnWindow[] {
  const window = (share: number, longMs: number, shortMs: number, severity: BurnWindow['severity']): BurnWindow => {
    return { longMs, shortMs, factor: (share * periodMs) / longMs, severity }
  }
  return [
    window(0.02, hourMs, 5 * minuteMs, 'page'),
    window(0.05, 6 * hourMs, 30 * minuteMs, 'page'),
    window(0.1, 24 * hourMs, 2 * hourMs, 'ticket'),
    window(0.1, 72 * hourMs, 6 * hourMs, 'ticket'),
  ]
}

/**
 * The part of the period's budget that is left, if traffic stays as it was while it was watched.
 *
 * @param watchedMs how much of the period the counts cover
 * @returns from 1 (nothing spent) down, below 0 when overspent
 */
export function budgetLeft(spent: Spent, objective: number, span: { watchedMs: number; periodMs: number }): number {
  if (spent.total <= 0) return 1
  return 1 - burnRate(spent, objective) * Math.min(1, span.watchedMs / span.periodMs)
}
