import type { EpochMs } from '../time/clock.ts'
import type { Message } from './message.ts'
import type { ToldAlert, ToldAlerts } from './told.ts'

/** Why a delivery failed: a closed list, since it is a metric label. `gave-up` is the end after a day of trying. */
export const failureReasons = [
  'timeout',
  'connection',
  'tls',
  'authentication',
  'rate-limited',
  'server-error',
  'refused',
  'internal',
  'gave-up',
] as const

export type FailureReason = (typeof failureReasons)[number]

/** How one attempt went. */
export type Delivery =
  | {
      readonly kind: 'sent'
      /** What the receiver wants to be given back with the next message of the same thread; absent to keep what was. */
      readonly receipt?: string
    }
  | {
      readonly kind: 'failed'
      readonly reason: FailureReason
      /** Whether this message will never be taken, so that trying again is in vain. */
      readonly final: boolean
      /** How long the other side asked us to wait. */
      readonly retryAfterMs: number | null
      /** The other side's status or error word, for the log; never an address or a secret. */
      readonly detail: string
    }

export type Failure = Extract<Delivery, { kind: 'failed' }>

/** The conversation a message belongs to, as its receiver left it. */
export interface Thread {
  /** Of the last message of this thread that was delivered here: for Slack its channel and timestamp; null for none. */
  readonly receipt: string | null
}

/** One way out: a mailbox, a Slack channel. */
export interface Receiver {
  /**
   * Tries once, within a time limit of its own; failures are values.
   *
   * @param told the alerts behind the message, for receivers of kind webhook and pagerduty; absent in a test message
   */
  deliver(message: Message, thread: Thread, told?: ToldAlerts): Promise<Delivery>
  close(): Promise<void>
  /** For a receiver that groups by itself: it is told alerts as they stand, by each of these ways, and no messages. */
  readonly targets?: readonly AlertTarget[]
}

/** A program that takes alerts one by one and is told again and again that they still stand. */
export interface AlertTarget {
  post(alerts: readonly PostedAlert[]): Promise<Delivery>
}

export interface PostedAlert {
  readonly alert: ToldAlert
  /** When it ended or, while it fires, when the target is to take it for over if it hears no more of it. */
  readonly endsAtMs: EpochMs
}

/** Counts what became of messages; telemetry implements it. */
export interface SendAttempts {
  sent(receiver: string): void
  /** Once for each failed attempt, and once with `gave-up` or `refused` when a message is dead. */
  failed(receiver: string, reason: FailureReason): void
}

export function failed(
  reason: FailureReason,
  detail: string,
  options: { final?: boolean; retryAfterMs?: number | null } = {},
): Failure {
  return { kind: 'failed', reason, detail, final: options.final ?? false, retryAfterMs: options.retryAfterMs ?? null }
}
