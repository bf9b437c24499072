import type { RuleTest } from '../alert/rule-test-file.ts'
import type { Played } from '../alert/rule-test-play.ts'
import { formatDuration } from '../time/duration.ts'
import { Rehearsal, type RehearsedMessage } from './rehearsal.ts'
import { type Routing, routesFor } from './routing.ts'

type NotificationTest = RuleTest['notificationTests'][number]

/**
 * Lets the changes that a test's rules made go through the real dispatcher, with its groups, timers, inhibitions,
 * silences and time intervals, and compares what receivers got with what the test wants; then the test's routes.
 *
 * @returns what did not come as expected, a sentence each; empty when the test passes
 */
export async function checkNotifications(
  test: RuleTest,
  { changes, lengthMs }: Played,
  routing: Routing,
): Promise<readonly string[]> {
  const failures = test.routeTests.flatMap((one) => checkRoute(one, routing))
  if (test.notificationTests.length === 0) return failures
  const rehearsal = await Rehearsal.open(routing, { startMs: test.startMs })
  // What one step of the rules changed comes in one go, as it does live: what ends together is muted together.
  for (const { atMs, transitions } of changes) {
    await rehearsal.passTo(test.startMs + atMs)
    await rehearsal.accept(transitions)
  }
  await rehearsal.passTo(test.startMs + lengthMs)
  return [...failures, ...test.notificationTests.flatMap((one) => checkReceiver(one, { test, rehearsal, routing }))]
}

function checkRoute({ labels, receivers }: RuleTest['routeTests'][number], routing: Routing): readonly string[] {
  const got = routesFor(routing.root, labels).map(({ receiver }) => receiver)
  if (got.join() === receivers.join()) return []
  const asked = Object.entries(labels).map(([name, value]) => `${name}=${value}`)
  return [`routes for ${asked.join(' ')}: expected ${receivers.join(', ')}, got ${got.join(', ')}`]
}

/** Each way of a receiver must get exactly the messages that are expected of the receiver. */
function checkReceiver(
  expected: NotificationTest,
  { test, rehearsal, routing }: { test: RuleTest; rehearsal: Rehearsal; routing: Routing },
): readonly string[] {
  const integrations = routing.receivers.get(expected.receiver)
  if (integrations === undefined) {
    const known = [...routing.receivers.keys()].join(', ')
    return [`there is no receiver ${expected.receiver} in the routes; they have: ${known}`]
  }
  return integrations.flatMap(({ key, kind }) => {
    if (kind === 'alertmanager') return [`${key} groups by itself and gets no messages to test`]
    const got = inOrder(rehearsal.messages.filter(({ integration }) => integration === key))
    const reason = mismatch(expected, got, test)
    if (reason === null) return []
    const lines = got.map((one) => `\n  ${shownTime(one, test)} ${one.subject}`)
    return [`${expected.receiver} (${key}): ${reason}; it got${lines.length === 0 ? ' nothing' : `:${lines.join('')}`}`]
  })
}

/** By time; what goes out together in the order in which its conversations began. */
function inOrder(messages: readonly RehearsedMessage[]): readonly RehearsedMessage[] {
  const threads = [...new Set(messages.map(({ thread }) => thread))]
  return messages.toSorted((a, b) => a.atMs - b.atMs || threads.indexOf(a.thread) - threads.indexOf(b.thread))
}

/** Why the messages are not those that are expected; null if they are. */
function mismatch(expected: NotificationTest, got: readonly RehearsedMessage[], test: RuleTest): string | null {
  for (const [place, { atMs, status, threadOf }] of expected.messages.entries()) {
    const wanted = `message ${place} (${status} at ${formatDuration(atMs)})`
    const one = got[place]
    if (one === undefined) return `${wanted} did not come`
    if (one.status !== status) return `${wanted} is ${one.status}`
    if (Math.abs(one.atMs - test.startMs - atMs) > expected.toleranceMs) {
      return `${wanted} came at ${shownTime(one, test)}`
    }
    if (threadOf !== null && one.thread !== got[threadOf]?.thread) {
      return `${wanted} is not in the thread of message ${threadOf}`
    }
  }
  const more = got.length - expected.messages.length
  return more > 0 ? `${more} more than expected` : null
}

function shownTime({ atMs }: RehearsedMessage, { startMs }: RuleTest): string {
  return formatDuration(atMs - startMs)
}
