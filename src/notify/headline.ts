import { type Alert, type Severity, severities } from '../alert/alert.ts'
import { spanText } from '../alert/span.ts'
import { compared, isCalm } from './facts.ts'
import { count } from './figures.ts'
import { labelOf } from './labels.ts'
import { clipWords, nameText, plainText } from './plain-text.ts'
import { causeName } from './runbook.ts'

/** The length within which a subject stays whole on a lock screen; beyond it names are cut, the tenant's first. */
const headlineLimit = 90

/** Severity is a shape and a word as well as a colour. */
export const severityShape: Readonly<Record<Severity, string>> = { page: '●', ticket: '▲', info: '■' }

/** What a reader must see before anything else: that nothing of this is real. */
export function marksOf(demo: boolean, drill: boolean): string {
  return `${demo ? '[DEMO] ' : ''}${drill ? '[DRILL] ' : ''}`
}

/** What a message is about in one line: who, what, how bad; the worst alert leads. */
export function headline(alerts: readonly Alert[], options: { prefix: string; sign: '×' | 'x' }): string {
  const lead = alerts[0]
  if (lead === undefined) return options.prefix.trim()
  const room = headlineLimit - options.prefix.length
  const who = whoOf(alerts)
  const api = oneOf(alerts, 'api')
  const cause = oneOf(alerts, 'cause')
  const said = ownWords(lead)
  if ((who === '' && api === '' && cause === '') || (alerts.length === 1 && said !== null)) {
    const more = alerts.length > 1 ? `, ${alerts.length} alerts` : ''
    return options.prefix + clipWords(said ?? summaryOf(lead), room - more.length) + more
  }
  const what = cause !== '' ? causeName(plainText(cause, 40)) : plainText(lead.rule, 40)
  const several = alerts.length > 1 ? `, ${alerts.length} alerts` : ''
  const lengths = badness(lead, options.sign).map((tail) => `${alerts.length > 1 ? ', the worst' : ','} ${tail}`)
  // Numbers are said whole or not at all: half a number is a wrong one.
  const titles = [...lengths, ''].map((tail) => fitted({ who, api, rest: `${what}${several}${tail}`, room }))
  return options.prefix + (titles.find((title) => title.length <= room) ?? clipWords(titles.at(-1) ?? '', room))
}

/** Names cut as far as they may be; longer than the room if that is not enough. */
function fitted({ who, api, rest, room }: { who: string; api: string; rest: string; room: number }): string {
  const join = (tenant: string, name: string) => {
    const place = [tenant, name].filter((part) => part !== '').join(' / ')
    return place === '' ? rest : `${place}: ${rest}`
  }
  const tenant = plainText(who, 200)
  const name = plainText(api, 200)
  const excess = (text: string) => Math.max(0, text.length - room)
  const shorter = (text: string, by: number) => nameText(text, by === 0 ? 200 : Math.max(12, text.length - by))
  const cutTenant = shorter(tenant, excess(join(nameText(tenant, 200), nameText(name, 200))))
  const cutName = shorter(name, excess(join(cutTenant, nameText(name, 200))))
  return join(cutTenant, cutName)
}

/** The summary's first sentence, for a condition that compares with nothing and so has no better number to show. */
export function ownWords(alert: Alert): string | null {
  if (alert.numbers.expected !== null || alert.annotations['summary'] === undefined) return null
  return summaryOf(alert)
    .replace(/[.!?]\s.*$/, '')
    .replace(/\.$/, '')
}

function summaryOf(alert: Alert): string {
  return plainText(alert.annotations['summary'] ?? alert.rule, 500)
}

/**
 * `27x normal (60 in 5 min)`, afterwards `lasted 49 min (1,312 refused)`, and each without the brackets for where there
 * is less room; none where the rule counts no refusals.
 */
function badness(alert: Alert, sign: '×' | 'x'): readonly string[] {
  const { observed, windowMs, soFar } = alert.numbers
  if (alert.state === 'resolved') {
    const lasted = `lasted ${spanText((alert.resolvedAtMs ?? alert.evaluatedAtMs) - alert.activeAtMs)}`
    return windowMs === 0 ? [lasted] : [`${lasted} (${count(soFar)} refused)`, lasted]
  }
  if (windowMs === 0) return []
  const counted = `${count(observed)} in ${spanText(windowMs)}`
  // A reminder may fall into the time after the last refusal, when "0x normal" would be true and read as nonsense.
  if (isCalm(alert)) return [`calm at the moment (${counted})`, 'calm at the moment']
  const times = compared(alert, sign)
  if (observed === 0 && times === null) return []
  return times === null ? [counted] : [`${times} (${counted})`, times]
}

function whoOf(alerts: readonly Alert[]): string {
  const tenants = new Set(alerts.map((alert) => labelOf(alert.labels, 'tenant')))
  if (tenants.size > 1) return `${tenants.size} tenants`
  const [only = ''] = tenants
  if (only !== '') return only
  // Rules over all tenants have no such label; their numbers say how many are affected.
  const affected = alerts[0]?.numbers.tenants ?? 0
  return affected > 1 ? `${count(affected)} tenants` : ''
}

/** The value all alerts share; how many there are otherwise; empty when none has one. */
function oneOf(alerts: readonly Alert[], label: 'api' | 'cause'): string {
  const values = new Set(alerts.map((alert) => labelOf(alert.labels, label)).filter((value) => value !== ''))
  if (values.size > 1) return `${values.size} ${label === 'api' ? 'APIs' : 'causes'}`
  const [only = ''] = values
  return only
}

/** Worst first: severity, then refusals in the window, then a fixed order so that messages do not shuffle. */
export function worstFirst(alerts: readonly Alert[]): readonly Alert[] {
  return [...alerts].sort(
    (a, b) =>
      severities.indexOf(b.severity) - severities.indexOf(a.severity) ||
      b.numbers.observed - a.numbers.observed ||
      (a.fingerprint < b.fingerprint ? -1 : a.fingerprint > b.fingerprint ? 1 : 0),
  )
}
