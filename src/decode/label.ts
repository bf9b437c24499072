import { isBlank } from './json.ts'

/** Most characters of a tenant, an API or another name kept with a record. */
export const labelLimit = 200

/**
 * A name as it may become a label: without control and direction characters, trimmed, capped. The usual words for
 * "nothing" (`""`, `-`, `N/A`, `UNKNOWN`) and whatever is no text or number give null.
 */
export function labelOf(value: unknown): string | null {
  if (typeof value === 'number') return Number.isFinite(value) ? String(value) : null
  if (typeof value !== 'string' || isBlank(value)) return null
  return isPlain(value) ? value : cleaned(value)
}

/** The first of several values that is a name. */
export function firstLabel(...values: readonly unknown[]): string | null {
  for (const value of values) {
    const label = labelOf(value)
    if (label !== null) return label
  }
  return null
}

// Nearly every label is short printable ASCII, so the cleaning is rare. A blank at an end shows in the first or last character.
function isPlain(value: string): boolean {
  if (value.length > labelLimit || beyondAscii.test(value)) return false
  return value.charCodeAt(0) !== 0x20 && value.charCodeAt(value.length - 1) !== 0x20
}

const beyondAscii = /[^\x20-\x7e]/

// Control characters, line separators, and marks that turn the reading direction and so can disguise a name.
const unwanted = /[\p{Cc}\p{Zl}\p{Zp}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]+/gu
// A surrogate without its twin cannot be stored as UTF-8.
const loneSurrogate = /\p{Surrogate}/gu

function cleaned(value: string): string | null {
  // A name of megabytes is cut before it is looked at: the rest could not be kept anyway.
  const text = value
    .slice(0, labelLimit * 4)
    .replace(unwanted, ' ')
    .trim()
    .slice(0, labelLimit)
  const label = text.replace(loneSurrogate, '\ufffd').trim()
  return isBlank(label) ? null : label
}
