import type { RehearsedMessage } from './rehearsal.ts'
import type { Routing } from './routing.ts'

/** How many messages one way of a receiver would have got. */
export interface MessageCount {
  readonly receiver: string
  /** Such as `oncall/slack/0`. */
  readonly integration: string
  readonly messages: number
  /** Of these, those that tell of the end. */
  readonly ends: number
}

/** Adds up messages by the way they take, in the order of the routes; ways that get none are left out. */
export function countMessages(messages: readonly RehearsedMessage[], routing: Routing): readonly MessageCount[] {
  return [...routing.receivers.values()].flat().flatMap(({ key, receiver }) => {
    const own = messages.filter(({ integration }) => integration === key)
    if (own.length === 0) return []
    const ends = own.filter(({ status }) => status === 'resolved').length
    return [{ receiver, integration: key, messages: own.length, ends }]
  })
}

/** The same by the rules that messages tell of; a message about two rules counts for both. */
export function countByRule(
  messages: readonly RehearsedMessage[],
  rules: readonly string[],
  routing: Routing,
): ReadonlyMap<string, readonly MessageCount[]> {
  const about = (rule: string) => messages.filter((message) => message.rules.includes(rule))
  return new Map(rules.map((rule) => [rule, countMessages(about(rule), routing)]))
}

/** `oncall`, or `oncall/slack/0` where a receiver has several ways. */
export function wayName({ receiver, integration }: MessageCount, all: readonly MessageCount[]): string {
  return all.filter((one) => one.receiver === receiver).length > 1 ? integration : receiver
}
