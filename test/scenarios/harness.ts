import { join } from 'node:path'
import type { Alert, Transition } from '../../src/alert/alert.ts'
import { RuleEngine } from '../../src/alert/engine.ts'
import { MinuteView } from '../../src/alert/minute-view.ts'
import { loadRules, shippedFolder } from '../../src/alert/rule-files.ts'
import type { SliceRow } from '../../src/alert/scripted-view.ts'
import { causes } from '../../src/classify/cause.ts'
import type { SeriesMinutes } from '../../src/history/query.ts'
import type { Routing } from '../../src/notify/routing.ts'
import { loadRouting } from '../../src/notify/routing-file.ts'
import { type EpochMs, ManualClock } from '../../src/time/clock.ts'
import type { WindowView } from '../../src/window/view.ts'
import { type Desk, desk } from '../notify/sample.ts'
import { Fleet, type Flow } from './fleet.ts'
import type { Incident } from './incidents.ts'
import { StaticRatio, ThreeSigma, type Watcher } from './rivals.ts'

const minute = 60_000
/** A Tuesday, at midnight. */
const startMs: EpochMs = Date.UTC(2026, 2, 3)
/** An alert that comes a little after the end may still be about the incident, and one whose window holds it is. */
const afterMinutes = 15
/** One that ends says so within an hour. */
const messageMinutes = 60

/** What one watcher made of one incident. */
export interface Outcome {
  readonly incident: Incident
  readonly watcher: string
  /** Minutes from the beginning to the first alert about it; null if nobody was told. */
  readonly delayMinutes: number | null
  /** The rules that spoke about it, in the order in which they did. */
  readonly rules: readonly string[]
  readonly alerts: number
  /** Messages that reached somebody in that time, ends included, and the conversations they belong to. */
  readonly messages: number
  readonly conversations: number
  /** What these messages said in their first line, with the minute of the incident. */
  readonly told: readonly { readonly minute: number; readonly subject: string }[]
}

export interface Report {
  readonly outcomes: readonly Outcome[]
  /** By watcher: alerts about nothing that happened, as `rule {labels}`. */
  readonly falseAlerts: ReadonlyMap<string, readonly string[]>
  /** Days of event time that were judged. */
  readonly days: number
}

export interface Course {
  readonly tenants: number
  readonly seed: number
  /** Time to learn before anything is judged. */
  readonly warmUpMinutes: number
  /** Calm between two incidents. */
  readonly gapMinutes: number
  readonly incidents: readonly Incident[]
  readonly rivals: boolean
  readonly onProgress?: (done: number, all: number) => void
}

/** Lives through a course of incidents with the shipped rules and, on the same streams, with the usual ways. */
export async function live(course: Course): Promise<Report> {
  const fleet = new Fleet(course.tenants, course.seed)
  const view = new MinuteView(startMs)
  const routing = await shippedRouting()
  const plain = { ...routing, inhibitRules: [] }
  const posts = [await Post.open(new Ours(), routing)]
  if (course.rivals)
    for (const rival of [new StaticRatio(), new ThreeSigma()]) posts.push(await Post.open(rival, plain))
  const spans = spansOf(course)
  const all = (spans.at(-1)?.to ?? course.warmUpMinutes) + course.gapMinutes
  /** What the gateways wrote while the log stood still; it comes in one go afterwards. */
  let backlog: (readonly SliceRow[])[] = []
  for (let now = 0; now < all; now++) {
    const span = spans.find(({ from, to }) => now >= from && now < to)
    const change = span === undefined ? null : (flow: Flow) => span.incident.change(flow, now - span.from)
    backlog.push(fleet.minute(startMs + now * minute, change))
    const nowMs = startMs + (now + 1) * minute
    const judged = now >= course.warmUpMinutes
    if (span?.incident.stalled === true) {
      for (const post of posts) await post.take(post.watcher.wait(nowMs, nowMs - view.endMs), judged)
    } else {
      for (const rows of backlog) {
        await view.take(columnsOf(rows), 1, () => {})
        for (const post of posts) await post.take(post.watcher.step(view.endMs, view), judged)
      }
      backlog = []
      for (const post of posts) await post.take(post.watcher.wait(nowMs, 0), judged)
    }
    for (const post of posts) await post.pass(minute)
    course.onProgress?.(now + 1, all)
  }
  return {
    outcomes: spans.flatMap((span) => posts.map((post) => post.outcome(span))),
    falseAlerts: new Map(posts.map((post) => [post.watcher.name, post.falseAlerts(spans)])),
    days: (all - course.warmUpMinutes) / (24 * 60),
  }
}

/** One minute as history would answer it. */
function columnsOf(rows: readonly SliceRow[]): readonly SeriesMinutes[] {
  const columns: SeriesMinutes[] = []
  for (const { tenant, api, requests, causes: refused = {} } of rows) {
    columns.push({ tenant, api, cause: '', minutes: [0], counts: [requests] })
    for (const cause of causes) {
      const count = refused[cause] ?? 0
      if (count > 0) columns.push({ tenant, api, cause, minutes: [0], counts: [count] })
    }
  }
  return columns
}

interface Span {
  readonly incident: Incident
  /** Minutes since the start. */
  readonly from: number
  readonly to: number
}

function spansOf({ warmUpMinutes, gapMinutes, incidents }: Course): readonly Span[] {
  let at = warmUpMinutes
  return incidents.map((incident) => {
    const from = at + gapMinutes
    at = from + incident.minutes
    return { incident, from, to: at }
  })
}

/** The routing of `alerts/notify.yaml`, with a receiver that takes whatever comes. */
async function shippedRouting(): Promise<Routing> {
  const loaded = await loadRouting(join(shippedFolder, 'notify.yaml'), {})
  if (!loaded.ok) throw new Error(`alerts/notify.yaml: ${JSON.stringify(loaded.problems)}`)
  return loaded.routing
}

/** The shipped rules, evaluated once a minute. */
class Ours implements Watcher {
  readonly name = 'Tollwatch'
  readonly #engine: RuleEngine

  constructor() {
    const loaded = loadRules(['shipped'], shippedFolder)
    if (!loaded.ok) throw new Error('the shipped rules have problems')
    const rules = loaded.rules.map((rule) => ({ ...rule, intervalMs: Math.max(rule.intervalMs, minute) }))
    this.#engine = new RuleEngine(rules, { baselineSeriesLimit: 100_000 })
  }

  step(atMs: EpochMs, view: WindowView): readonly Transition[] {
    return this.#engine.step(atMs, view)
  }

  wait(nowMs: EpochMs, watermarkAgeMs: number): readonly Transition[] {
    return this.#engine.health(nowMs, [{ topic: 'gateway-logs', watermarkAgeMs, lagSeconds: null }])
  }
}

/** One watcher with a notification desk of its own. */
class Post {
  readonly watcher: Watcher
  readonly #desk: Desk
  /** Alerts that fired since judging began, by episode. */
  readonly #fired = new Map<string, Alert>()

  private constructor(watcher: Watcher, desk: Desk) {
    this.watcher = watcher
    this.#desk = desk
  }

  static async open(watcher: Watcher, routing: Routing): Promise<Post> {
    return new Post(watcher, await desk(routing, { clock: new ManualClock(startMs) }))
  }

  async take(transitions: readonly Transition[], judged: boolean): Promise<void> {
    const news = transitions.filter(({ alert }) => {
      if (alert.shadow || alert.state === 'pending') return false
      if (alert.state === 'firing' && judged && !this.#fired.has(alert.episode)) this.#fired.set(alert.episode, alert)
      // What began while nobody judged yet is no news later.
      return this.#fired.has(alert.episode)
    })
    if (news.length > 0) await this.#desk.dispatcher.accept(news)
  }

  /** In steps of ten seconds: exact enough for the waits of routing, and ten times as fast as seconds. */
  async pass(ms: number): Promise<void> {
    const { clock, dispatcher } = this.#desk
    for (let passed = 0; passed < ms; passed += 10_000) {
      await clock.advance(10_000)
      await dispatcher.tick(clock.now())
      await dispatcher.idle()
    }
  }

  outcome(span: Span): Outcome {
    const about = this.#in(span).filter((alert) => this.#isAbout(alert, span.incident))
    const first = about.map((alert) => alert.firedAtMs ?? alert.activeAtMs).sort((a, b) => a - b)[0]
    const fromMs = startMs + span.from * minute
    const toMs = startMs + (span.to + messageMinutes) * minute
    const sent = this.#desk.inbox.got.filter(({ at }) => at > fromMs && at <= toMs)
    return {
      incident: span.incident,
      watcher: this.watcher.name,
      delayMinutes: first === undefined ? null : (first - fromMs) / minute,
      rules: [...new Set(about.map(({ rule }) => rule))],
      alerts: about.length,
      messages: sent.length,
      conversations: new Set(sent.map(({ message }) => message.thread)).size,
      told: sent.map(({ at, message }) => ({ minute: (at - fromMs) / minute, subject: message.subject })),
    }
  }

  falseAlerts(spans: readonly Span[]): readonly string[] {
    const right = new Set(
      spans.flatMap((span) => this.#in(span).filter((alert) => this.#isAbout(alert, span.incident))),
    )
    return [...this.#fired.values()]
      .filter((alert) => !right.has(alert))
      .map(({ rule, labels, firedAtMs }) => {
        const named = ['tenant', 'api', 'cause'].flatMap((name) => labels[name] ?? [])
        return `${rule} {${named.join(', ')}} at minute ${((firedAtMs ?? 0) - startMs) / minute}`
      })
  }

  #in({ from, to }: Span): readonly Alert[] {
    const fromMs = startMs + from * minute
    const toMs = startMs + to * minute
    return [...this.#fired.values()].filter(({ firedAtMs, numbers }) => {
      const graceMs = Math.max(afterMinutes * minute, numbers.windowMs)
      return firedAtMs !== null && firedAtMs > fromMs && firedAtMs <= toMs + graceMs
    })
  }

  #isAbout(alert: Alert, incident: Incident): boolean {
    if (this.watcher instanceof Ours) return incident.isAbout?.(alert) ?? false
    const { tenant = '', api = '' } = alert.labels
    return incident.isAbout !== null && incident.concerns(tenant, api)
  }
}
