import type { Decoded } from './decode.ts'
import { unreadable } from './format.ts'
import { isBlank, numberOf } from './json.ts'

/** A status as read: a number, null for "no response was sent", or why there is none. */
export type StatusReading = number | null | 'no-status' | 'wrong-type'

/**
 * Reads what the client got. Outside 100..599 means that no response was sent (Envoy writes 0 for a client that left),
 * which is a record all the same.
 */
export function readStatus(value: unknown): StatusReading {
  if (isBlank(value)) return 'no-status'
  const status = numberOf(value)
  if (status === null || !Number.isInteger(status)) return 'wrong-type'
  return status >= 100 && status <= 599 ? status : null
}

/** The entry that a status which could not be read turns into. */
export function unreadableStatus(index: number, reading: 'no-status' | 'wrong-type', where: string): Decoded {
  const message =
    reading === 'no-status' ? `there is no status at ${where}` : `the status at ${where} is no whole number`
  return unreadable(index, reading, message)
}

/**
 * The last upstream status of a text such as `502, 402` (retries) or `500, 200 : 402` (an internal redirect), or of a
 * number; null where no upstream answered.
 */
export function lastAttempt(value: unknown): number | null {
  if (typeof value === 'number') return httpStatus(value)
  if (typeof value !== 'string' || value === '') return null
  // One attempt and nothing else is what nearly all records have.
  if (value.length === 3) return digits.test(value) ? httpStatus(Number(value)) : null
  const end = value.slice(-8).match(/(?:^|[,:\s])(\d{3})\s*$/)
  return end === null ? null : httpStatus(Number(end[1]))
}

const digits = /^\d+$/

/** Whether any upstream attempt answered 402, also one that a later attempt made good. */
export function anyAttemptRefused(value: unknown): boolean {
  if (typeof value === 'number') return value === 402
  return typeof value === 'string' && value.length >= 3 && value.length <= 4096 && refusedAttempt.test(value)
}

/** Whether an upstream attempt answered 402, the last one also where the text is too long or too odd to tell all apart. */
export function upstreamRefusedIn(value: unknown): boolean {
  if (typeof value === 'string' && !value.includes('402')) return false
  return anyAttemptRefused(value) || lastAttempt(value) === 402
}

const refusedAttempt = /(?:^|[,:\s])402(?:$|[,:\s])/

function httpStatus(status: number): number | null {
  return Number.isInteger(status) && status >= 100 && status <= 599 ? status : null
}
