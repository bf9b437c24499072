import type { EpochMs } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { parseInstant } from '../time/instant.ts'
import type { Episode } from './backtest.ts'

/** Something that really happened, as people remember it. */
export interface KnownIncident {
  readonly line: number
  readonly startMs: EpochMs
  readonly endMs: EpochMs
  /** An alert belongs to it when it shows all of these, or leaves them open. Empty for everything. */
  readonly labels: Readonly<Record<string, string>>
}

export interface IncidentScore {
  readonly found: readonly { readonly incident: KnownIncident; readonly delayMinutes: number; readonly rule: string }[]
  readonly missed: readonly KnownIncident[]
  readonly medianDelayMinutes: number | null
  /** Share of the episodes that belong to an incident; null without any episode. */
  readonly precision: number | null
}

/** An alert may come a little before people say that it began, and its window still holds it a while after. */
const earlyMs = 5 * minuteMs
const lateMs = 10 * minuteMs

/**
 * Reads `start,end,labels`: times in ISO 8601 or epoch milliseconds, labels as `tenant=acme;cause=quota_exceeded`. A
 * first line of these names is skipped.
 */
export function parseIncidents(
  text: string,
): { ok: true; incidents: readonly KnownIncident[] } | { ok: false; problems: readonly string[] } {
  const incidents: KnownIncident[] = []
  const problems: string[] = []
  for (const [at, raw] of text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || (at === 0 && /^start\b/i.test(line))) continue
    const [start = '', end = '', labels = ''] = line.split(',', 3).map((cell) => cell.trim())
    const [startMs, endMs] = [parseInstant(start, 0), parseInstant(end, 0)]
    const read = readLabels(labels)
    if (startMs === null || endMs === null) {
      problems.push(`${at + 1}: start or end is no time. Fix: write ISO 8601, such as 2026-03-02T09:00:00Z.`)
    } else if (endMs <= startMs)
      problems.push(`${at + 1}: the end is not after the start. Fix: write start,end,labels.`)
    else if (typeof read === 'string') problems.push(`${at + 1}: ${read}`)
    else incidents.push({ line: at + 1, startMs, endMs, labels: read })
  }
  if (incidents.length === 0 && problems.length === 0)
    problems.push('1: holds no incident. Fix: write start,end,labels.')
  return problems.length > 0 ? { ok: false, problems } : { ok: true, incidents }
}

function readLabels(text: string): Record<string, string> | string {
  const labels: Record<string, string> = {}
  for (const part of text.split(';').map((piece) => piece.trim())) {
    if (part === '') continue
    const [name = '', value] = part.split('=', 2)
    if (!/^(?:tenant|api|cause|family|rule)$/.test(name) || value === undefined) {
      return `"${part}" is no label. Fix: write tenant=, api=, cause=, family= or rule=, joined by ;`
    }
    labels[name] = value
  }
  return labels
}

/** How well the episodes tell of the incidents. */
export function scoreIncidents(episodes: readonly Episode[], incidents: readonly KnownIncident[]): IncidentScore {
  const found: IncidentScore['found'][number][] = []
  const missed: KnownIncident[] = []
  const right = new Set<Episode>()
  for (const incident of incidents) {
    const own = episodes.filter((episode) => belongs(episode, incident))
    for (const episode of own) right.add(episode)
    const first = own.toSorted((a, b) => a.firedAtMs - b.firedAtMs)[0]
    if (first === undefined) missed.push(incident)
    else found.push({ incident, delayMinutes: (first.firedAtMs - incident.startMs) / minuteMs, rule: first.rule })
  }
  const delays = found.map(({ delayMinutes }) => delayMinutes).sort((a, b) => a - b)
  return {
    found,
    missed,
    medianDelayMinutes: delays[Math.floor((delays.length - 1) / 2)] ?? null,
    precision: episodes.length === 0 ? null : right.size / episodes.length,
  }
}

function belongs({ firedAtMs, labels, rule }: Episode, incident: KnownIncident): boolean {
  if (firedAtMs < incident.startMs - earlyMs || firedAtMs > incident.endMs + lateMs) return false
  return Object.entries(incident.labels).every(([name, value]) => {
    const own = name === 'rule' ? rule : labels[name]
    return own === undefined || own === value
  })
}
