import { labelLimit, labelOf } from './label.ts'

/** Segments of a path that are kept; deeper ones are cut, since only a few of them name an API. */
export const segmentLimit = 12

// A segment this long is no name that a person gave.
const longSegment = 64

/**
 * A path rule split into segments: literal text, `{name}` or `*` for any one segment, `**` at the end for the rest.
 * The rule's own text becomes the label, so rules cost linear time and cannot explode as patterns can.
 */
export interface PathRule {
  readonly label: string
  readonly segments: readonly string[]
}

export function pathRule(text: string): PathRule {
  return { label: text, segments: segmentsOf(text) }
}

/**
 * A path as a low-cardinality API name: without host, query and fragment; numbers, UUIDs, hashes, dates, addresses and
 * tokens replaced by placeholders; the first `segmentLimit` segments. Operator rules come first.
 *
 * @param path a path, with or without query, or a full URL
 * @param rules an empty list for none
 * @param template false keeps the segments as they are
 * @returns null when there is no path
 */
export function templateOf(path: unknown, rules: readonly PathRule[], template: boolean): string | null {
  if (typeof path !== 'string' || path === '' || path === '-') return null
  const bare = withoutQueryAndHost(path)
  if (bare === null) return null
  const segments = segmentsOf(bare)
  for (const rule of rules) if (matches(rule, segments)) return rule.label
  const kept = segments.slice(0, segmentLimit)
  const text = `/${(template ? kept.map(placeholderOf) : kept).join('/')}`
  return labelOf(text.slice(0, labelLimit))
}

function withoutQueryAndHost(path: string): string | null {
  // A longer path is cut unseen: it would be cut to the label limit anyway.
  let text = path.length > 4096 ? path.slice(0, 4096) : path
  const end = text.search(/[?#]/)
  if (end >= 0) text = text.slice(0, end)
  const scheme = text.indexOf('://')
  if (scheme > 0 && scheme < 12 && !text.startsWith('/')) {
    const slash = text.indexOf('/', scheme + 3)
    return slash < 0 ? '/' : text.slice(slash)
  }
  text = text.trim()
  return text === '' ? null : text
}

function segmentsOf(path: string): string[] {
  const segments = []
  for (const segment of path.split('/', 64)) if (segment !== '') segments.push(segment)
  return segments
}

function matches(rule: PathRule, segments: readonly string[]): boolean {
  for (let i = 0; i < rule.segments.length; i++) {
    const wanted = rule.segments[i] ?? ''
    if (wanted === '**' && i === rule.segments.length - 1) return true
    const segment = segments[i]
    if (segment === undefined) return false
    if (wanted !== '*' && !(wanted.startsWith('{') && wanted.endsWith('}')) && wanted !== segment) return false
  }
  return rule.segments.length === segments.length
}

function placeholderOf(segment: string): string {
  if (segment.length > longSegment) return '{token}'
  // Most segments are plain words and leave here.
  if (!/[\d@%=]/.test(segment)) return segment.length > 40 && !/[-_.]/.test(segment) ? '{token}' : segment
  if (segment.includes('@') || /%40/.test(segment)) return '{email}'
  if (/^[+-]?\d+(?:\.\d+)?$/.test(segment)) return '{id}'
  if (/^\{?[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}\}?$/i.test(segment)) return '{uuid}'
  if (/^\d{4}-\d\d(?:-\d\d)?(?:T[\d:.,%A-F]+(?:Z|[+-][\d:]+)?)?$/i.test(segment)) return '{date}'
  if (/^\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?$/.test(segment)) return '{ip}'
  if (/^(?:0x)?[\da-f]{12,}$/i.test(segment)) return '{hex}'
  return isToken(segment) ? '{token}' : segment
}

/** Machine-made text: a prefixed id such as `ord_8fK2mQ7x`, or a long run of mixed letters and digits. */
function isToken(segment: string): boolean {
  const prefixed = /^[A-Za-z]{2,12}[_-]([A-Za-z0-9]{8,})$/.exec(segment)
  if (prefixed !== null && isMixed(prefixed[1] ?? '')) return true
  for (const run of segment.split(/[-_.~%=:,;]/)) {
    if (run.length >= 16 && isMixed(run)) return true
    if (run.length >= 10 && /^\d+$/.test(run)) return true
  }
  return false
}

/** Whether digits stand among the letters, not just as a version at the end (`answers2`). */
function isMixed(run: string): boolean {
  return /\d[A-Za-z]/.test(run) || (/[A-Za-z]\d/.test(run) && (run.match(/\d/g)?.length ?? 0) >= 4)
}
