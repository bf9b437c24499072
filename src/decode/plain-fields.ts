import type { TimeField, TimeNotation } from './event-time.ts'

/**
 * Where plain records of a layout keep what the fast core reads by itself. Places are dotted texts: the keys on the way,
 * joined by dots.
 */
export interface PlainFields {
  readonly status: readonly string[]
  /** Statuses of upstream attempts, which only matter when they are watched. */
  readonly upstream: readonly string[]
  readonly times: readonly PlainTime[]
}

/** A place of the event time, with the notations that the layout's own reader takes there. */
export interface PlainTime extends Pick<TimeNotation, 'number' | 'iso' | 'clf'> {
  readonly place: string
}

/** The same fields by which the layout reads its times, as places. */
export function plainTimes(fields: readonly TimeField[]): readonly PlainTime[] {
  return fields.map(({ key, as: { number, iso, clf } }) => ({ place: key, number, iso, clf }))
}
