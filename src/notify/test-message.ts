import type { Alert } from '../alert/alert.ts'
import type { EpochMs } from '../time/clock.ts'
import { minuteMs, secondMs } from '../time/duration.ts'
import { digest } from './group.ts'
import { composeMessage, type Message, type MessageContext } from './message.ts'
import type { Trend } from './trend.ts'

/** A message that looks like a real one and says in every place a reader looks at that it is not. */
export function testMessage(receiver: string, integration: string, now: EpochMs, context: MessageContext): Message {
  const id = digest(['test', integration, now])
  const alert = sample(now)
  const { message } = composeMessage(
    {
      id,
      thread: id,
      receiver,
      now,
      routeText: '',
      reminder: false,
      firing: [{ alert, noticedAtMs: alert.activeAtMs + 20 * secondMs, told: null, doneAtMs: null }],
      resolved: [],
      mutedCount: 0,
      folded: 0,
      groups: 1,
      maxPerMinute: 1,
      subject: null,
    },
    { ...context, trend: () => sampleTrend(now) },
  )
  const title = `[TEST] Tollwatch reaches ${receiver}`
  return {
    ...message,
    status: 'test',
    subject: title,
    headline: title,
    sentences: [
      'This is a test, sent by hand with `tollwatch test-receiver`. Nothing is wrong and nobody is affected.',
      'Below is what a message looks like; the tenant and the numbers are invented.',
    ],
    links: [],
    notes: [],
    why: [`You get this because somebody tested the receiver ${receiver}, which ${context.file} sends to you.`],
  }
}

function sample(now: EpochMs): Alert {
  const activeAtMs = now - 3 * minuteMs
  return {
    fingerprint: 'test',
    episode: `test-${now}`,
    rule: 'TestMessage',
    severity: 'info',
    state: 'firing',
    labels: { tenant: 'example-tenant', api: 'example-api', cause: 'quota_exceeded' },
    annotations: {},
    activeAtMs,
    firedAtMs: activeAtMs,
    resolvedAtMs: null,
    evaluatedAtMs: now,
    shadow: false,
    value: 60,
    numbers: {
      windowMs: 5 * minuteMs,
      observed: 60,
      requests: 1_004,
      expected: 2.2,
      pValue: 1e-7,
      soFar: 172,
      peak: 60,
      top: [],
      tenants: 1,
      scope: null,
      facts: [],
    },
  }
}

/** Three quiet hours and the spike of the sample. */
function sampleTrend(now: EpochMs): Trend {
  const steps = Array.from({ length: 36 }, (_, step) => {
    const refused = step === 35 ? 60 : step === 34 ? 12 : (step * 7) % 5
    return new Map([['quota_exceeded' as const, refused]])
  })
  return { endMs: now, stepMs: 5 * minuteMs, steps }
}
