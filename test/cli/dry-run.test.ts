import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { dryRunCommand } from '../../src/cli/dry-run.ts'
import { Fault } from '../../src/fault/fault.ts'
import type { Queries } from '../../src/history/query.ts'
import type { Silence } from '../../src/notify/silence.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { rulesOf } from '../alert/simulation.ts'
import { routingOf } from '../notify/sample.ts'

const minute = 60_000
const start = Date.UTC(2026, 2, 5, 12)
const rules = rulesOf(
  `- rule: Many
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: count, above: 5}
  severity: page
- rule: Tried
  group_by: [tenant]
  window: 1m
  condition: {type: threshold, measure: count, above: 5}
  mode: shadow`,
  'interval: 1m',
)
const routing = routingOf('route: {receiver: log, group_by: [tenant], group_wait: 0s, group_interval: 1m}')

/** Each minute one tenant has 100 requests; in the third to fifth minute from the start 20 are refused. */
function daemon(clock: ManualClock, asked: { fromMs: number; toMs: number }[]): Pick<Queries, 'minutes'> {
  let away = true
  return {
    minutes: async ({ fromMs, toMs }) => {
      if (clock.now() > start + 4 * minute && away) {
        away = false
        throw new Fault('daemon-unreachable', 'no daemon answers', { retryable: true })
      }
      asked.push({ fromMs, toMs })
      const all = Array.from({ length: (toMs - fromMs) / minute }, (_, place) => place)
      const refused = all.filter((place) => {
        const at = fromMs + place * minute
        return at >= start + 2 * minute && at < start + 5 * minute
      })
      const acme = { tenant: 'acme', api: 'chat' }
      return {
        complete: true,
        rows: [
          { ...acme, cause: '', minutes: all, counts: all.map(() => 100) },
          { ...acme, cause: 'unknown', minutes: refused, counts: refused.map(() => 20) },
        ],
      }
    },
  }
}

async function dryRun(silences: readonly Silence[] = []) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const clock = new ManualClock(start + 90_000)
  const stop = new AbortController()
  const asked: { fromMs: number; toMs: number }[] = []
  const args = { rules, routing, silences, warmUpMs: 90 * minute, delayMs: 90_000, baselineSeriesLimit: 100 }
  const terminal = { stdin, stdout, stderr }
  const done = dryRunCommand(args, { queries: daemon(clock, asked), terminal, clock, signal: stop.signal })
  // Reading and judging takes some turns of the loop.
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
  }
  await settle()
  for (let passed = 0; passed < 12; passed++) {
    await clock.advance(minute)
    await settle()
  }
  stop.abort()
  const code = await done
  return { code, out: String(stdout.read()), err: String(stderr.read() ?? ''), asked }
}

test('a dry run judges each minute once it is complete, says what would be sent, and sums up at the end', async () => {
  const { code, out, err, asked } = await dryRun()
  expect({ code, err }).toEqual({ code: 0, err: 'no daemon answers; trying again\n' })
  expect(asked.slice(0, 3)).toEqual([
    { fromMs: start - 90 * minute, toMs: start - 30 * minute },
    { fromMs: start - 30 * minute, toMs: start },
    { fromMs: start, toMs: start + minute },
  ])
  const lines = out.split('\n')
  expect(lines[0]).toBe('2026-03-05T12:01:30.000Z 2 rules are watching; Ctrl-C ends it')
  expect(lines.slice(1, 7)).toEqual([
    expect.stringMatching(/^2026-03-05T12:03:00.000Z firing Many \[page\] tenant=acme: acme is refused/),
    expect.stringMatching(
      /^2026-03-05T12:03:00.000Z firing Tried \[ticket\] tenant=acme \(on trial, nobody would be told\): /,
    ),
    expect.stringMatching(/^2026-03-05T12:03:\d\d.000Z would send to log \(log\/log\/0\): \[PAGE\] acme/),
    expect.stringMatching(/^2026-03-05T12:06:00.000Z resolved Many/),
    expect.stringMatching(/^2026-03-05T12:06:00.000Z resolved Tried/),
    expect.stringMatching(/^2026-03-05T12:06:\d\d.000Z would send to log \(log\/log\/0\): \[RESOLVED\] acme/),
  ])
  expect(lines.slice(7)).toEqual([
    '',
    expect.stringMatching(/^\d+ minutes judged, from 2026-03-05T12:00:00.000Z on$/),
    '  Many: fired 1 time',
    '  Tried: fired 1 time',
    'would have been sent: 2 to log',
    '',
  ])
})

test('a dry run knows the silences of the daemon', async () => {
  const silence = { id: 's', matchers: ['tenant="acme"'], startsAtMs: start, endsAtMs: start + 60 * minute }
  const { out } = await dryRun([{ ...silence, createdBy: 'ann', comment: 'known' }])
  expect(out).toContain('firing Many')
  expect(out).toContain('nothing would have been sent')
})
