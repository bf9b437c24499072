import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { askerOf } from '../../src/cli/ask-daemon.ts'
import { type DrillArguments, type DrillPlace, drillCommand } from '../../src/cli/drill.ts'
import { daemonDrill, ownDrill } from '../../src/cli/drill-place.ts'
import type { DrillAnswer } from '../../src/http/api/drills.ts'
import { failed, type Receiver } from '../../src/notify/receiver.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { startServer } from '../http/support/client.ts'
import { eleven, Inbox, routingOf } from '../notify/sample.ts'

const minute = 60_000
const asked: DrillArguments = { receiver: null, rule: null, severity: 'page', waitMs: 10 * minute, json: false }
const routing = routingOf(
  `
route: {receiver: log, group_wait: 30s, group_interval: 1m, routes: [{matchers: ['severity="page"'], receiver: oncall}]}
receivers: [{name: oncall, slack_configs: [{api_url: '\${HOOK}'}]}, {name: am, alertmanager_configs: [{urls: ['http://am.example.com']}]}]
`,
  { HOOK: 'https://hooks.example.com/x' },
)

/** Runs the command while its clock goes on a second at a time. */
async function drill(place: DrillPlace, clock: ManualClock, change: Partial<DrillArguments> = {}) {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const stop = new AbortController()
  let code: number | null = null
  const deps = { place, terminal: { stdin, stdout, stderr }, clock, signal: stop.signal }
  const done = drillCommand({ ...asked, ...change }, deps).then((result) => {
    code = result
  })
  for (let second = 0; second < 900 && code === null; second++) {
    await clock.advance(1_000)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await done
  await place.close()
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

async function own(clock: ManualClock, receivers?: ReadonlyMap<string, Receiver>) {
  const inbox = new Inbox(clock)
  const keys = [...routing.receivers.values()].flat().map(({ key }) => key)
  const taking = new Map(keys.map((key) => [key, inbox.receiver(key)]))
  const words = { file: 'notify.yaml', runbookUrl: '' }
  return { inbox, place: await ownDrill({ routing, receivers: receivers ?? taking, rules: [], clock, ...words }) }
}

describe('a drill in this process', () => {
  test('says who was told, and after how long, up to the end', async () => {
    const clock = new ManualClock(eleven)
    const { place, inbox } = await own(clock)
    const { code, out } = await drill(place, clock)
    expect(code).toBe(0)
    expect(inbox.got.map(({ integration }) => integration)).toEqual(['oncall/slack/0', 'oncall/slack/0'])
    expect(out.replace(/drill [0-9a-f]{8}/, 'drill ID').split('\n')).toEqual([
      'drill ID: Drill [page] tenant=example-tenant api=example-api cause=quota_exceeded family=quota',
      '  route severity="page" leads to oncall (oncall/slack/0)',
      expect.stringMatching(/^ {2}oncall \(oncall\/slack\/0\) was told after 3\d s: \[DRILL\] \[PAGE\] /),
      expect.stringMatching(
        /^ {2}oncall \(oncall\/slack\/0\) was told of the end after \d min: \[DRILL\] \[RESOLVED\] /,
      ),
      'everybody was told, and told of the end',
      '',
    ])
  })

  test('ends with 1 when a receiver takes nothing', async () => {
    const clock = new ManualClock(eleven)
    const { place, inbox } = await own(clock)
    inbox.answer = () => failed('timeout', 'slow')
    const { code, out } = await drill(place, clock, { waitMs: 2 * minute })
    expect(code).toBe(1)
    expect(out).toContain('  oncall (oncall/slack/0) failed 1 times: timeout\n')
    expect(out).toMatch(/\nnot told: oncall\/slack\/0\n$/)
  })

  test('knows that an Alertmanager tells people by itself', async () => {
    const clock = new ManualClock(eleven)
    const posted: number[] = []
    const target: Receiver = {
      deliver: async () => ({ kind: 'sent' }),
      close: async () => {},
      targets: [{ post: async (alerts) => ({ kind: posted.push(alerts.length) > 0 ? 'sent' : 'sent' }) }],
    }
    const { place } = await own(clock, new Map([['am/alertmanager/0', target]]))
    const { code, out } = await drill(place, clock, { receiver: 'am', waitMs: 5 * minute })
    expect([code, posted.length > 0]).toEqual([0, true])
    expect(out).toContain('am (am/alertmanager/0) takes alerts and groups them itself: look there')
  })

  test('gives JSON at the end, and nothing else on standard output', async () => {
    const clock = new ManualClock(eleven)
    const { place } = await own(clock)
    const { out, err } = await drill(place, clock, { json: true })
    const answer = JSON.parse(out) as DrillAnswer
    expect(answer).toMatchObject({ rule: 'Drill', done: true, messages: [{ state: 'sent' }, { state: 'sent' }] })
    expect(err).toContain('was told after')
  })
})

describe('a drill in a daemon', () => {
  test('asks over HTTP and watches until it is told to stop', async () => {
    const clock = new ManualClock(eleven)
    const client = await startServer({ clock })
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    const stop = new AbortController()
    const ask = askerOf({ url: client.url, token: null }, { terminal: { stdin, stdout, stderr }, fetch })
    const deps = { place: daemonDrill(ask), terminal: { stdin, stdout, stderr }, clock, signal: stop.signal }
    const done = drillCommand({ ...asked, rule: 'FleetWideSpike' }, deps)
    stop.abort()
    // The daemon of these tests has nobody to tell.
    expect(await done).toBe(1)
    expect(String(stdout.read())).toMatch(/^drill d1: FleetWideSpike \[page\] .*\nnobody would be told/)
    expect(await drillCommand({ ...asked, receiver: 'nobody' }, deps)).toBe(1)
    expect(String(stderr.read())).toBe('tollwatch: the daemon refuses: there is no receiver "nobody"\n')
    await client.close()
  })
})
