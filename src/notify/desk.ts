import type { Alert } from '../alert/alert.ts'
import { RuleEngine } from '../alert/engine.ts'
import { AlertPersistence } from '../alert/persistence.ts'
import type { Rule } from '../alert/rule.ts'
import { loadRules } from '../alert/rule-files.ts'
import { Fault } from '../fault/fault.ts'
import type { Log } from '../fault/log.ts'
import type { AlertRecord } from '../history/alert-record.ts'
import type { StateStore } from '../history/state.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import type { Clock } from '../time/clock.ts'
import { minuteMs } from '../time/duration.ts'
import { Alerting } from './alerting.ts'
import { Dispatcher } from './dispatcher.ts'
import { type DrillDesk, Drills } from './drill.ts'
import type { NotifyOptions } from './options.ts'
import type { SendAttempts } from './receiver.ts'
import { openReceivers } from './receivers.ts'
import type { Routing } from './routing.ts'
import { type Environment, loadRouting, routingPath } from './routing-file.ts'
import { Silences } from './silence.ts'
import { RefusalMemory } from './trend.ts'

/** In the demo alerts end this soon, so that one incident is over before the next begins. */
const demoKeepFiringMs = 120_000

export interface AlertDeskOptions {
  readonly rules: readonly string[]
  readonly baselineSeriesLimit: number
  readonly notify: NotifyOptions
  /** What relative paths start from. */
  readonly folder: string
  readonly environment: Environment
  readonly demo: boolean
  /** Where the page is when `notify.page_url` does not say. */
  readonly pageUrl: string
  readonly state: StateStore
  readonly logAlerts: (records: readonly AlertRecord[]) => Promise<void>
  readonly tenants: TenantDirectory
  readonly attempts: SendAttempts
  /** Why rules are not evaluated now; null when they are. */
  readonly evaluation: () => string | null
  /** Built-in alerts that are to fire now, beside those about notifications. */
  readonly conditions: () => readonly Alert[]
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** Rules, silences and notifications, as one: what stands between closed slices and people. */
export interface AlertDesk {
  readonly engine: RuleEngine
  readonly silences: Silences
  readonly routing: Routing
  readonly dispatcher: Dispatcher
  readonly alerting: Alerting
  readonly drills: DrillDesk
}

/**
 * Opens them with what the last run left in the store.
 *
 * @throws Fault `config-invalid` for rule or routing files with problems, and what the store throws
 */
export async function openAlertDesk(options: AlertDeskOptions): Promise<AlertDesk> {
  const { state, clock, log, tenants } = options
  const engine = new RuleEngine(rulesOf(options), { baselineSeriesLimit: options.baselineSeriesLimit, tenants })
  const persistence = new AlertPersistence(engine)
  await persistence.load(state)
  const routing = await routingOf(options)
  const silences = await Silences.open({ store: state, clock, scheduled: routing.silences })
  const refusals = new RefusalMemory()
  const dispatcher = await Dispatcher.open({
    ...{ routing, silences, clock, log, attempts: options.attempts, random: options.random, store: state },
    receivers: openReceivers(routing, { log, clock }),
    message: messageBases(options, routing, engine, refusals, tenants),
    ruleIntervalMs: (name) => engine.rules.find((rule) => rule.name === name)?.intervalMs ?? minuteMs,
    evaluation: options.evaluation,
    conditions: options.conditions,
  })
  const { logAlerts } = options
  const alerting = new Alerting({ engine, persistence, dispatcher, refusals, state, logAlerts, clock, log })
  const drills = new Drills({ dispatcher, routing, rules: engine.rules, clock })
  return { engine, silences, routing, dispatcher, alerting, drills }
}

function rulesOf({ rules, folder, demo }: AlertDeskOptions): readonly Rule[] {
  const loaded = loadRules(rules, folder)
  if (!loaded.ok) {
    throw new Fault('config-invalid', 'the rule files have problems; see check-config', { retryable: false })
  }
  if (!demo) return loaded.rules
  return loaded.rules.map((rule) => ({ ...rule, keepFiringForMs: Math.min(rule.keepFiringForMs, demoKeepFiringMs) }))
}

async function routingOf({ notify, folder, environment }: AlertDeskOptions): Promise<Routing> {
  const loaded = await loadRouting(routingPath(notify.file, folder), environment)
  if (!loaded.ok) {
    throw new Fault('config-invalid', 'notify.file has problems; see check-config', { retryable: false })
  }
  return loaded.routing
}

function messageBases(
  { notify, pageUrl, demo }: AlertDeskOptions,
  routing: Routing,
  engine: RuleEngine,
  refusals: RefusalMemory,
  tenants: TenantDirectory,
) {
  return {
    pageUrl: notify.page_url ?? pageUrl,
    runbookUrl: notify.runbook_url,
    dashboardUrl: notify.dashboard_url ?? null,
    demo,
    timezone: routing.timezone,
    file: notify.file ?? 'built-in routing',
    current: (fingerprint: string) => engine.alerts().find((alert) => alert.fingerprint === fingerprint) ?? null,
    trend: (alert: Alert) => refusals.of(alert),
    tenants,
    operator: { name: notify.operator_name ?? null, contact: notify.operator_contact ?? null },
  }
}
