import { PassThrough, Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type SilenceArguments, silenceCommand } from '../../src/cli/silence.ts'
import { MemoryState } from '../../src/history/state.ts'
import { Silences } from '../../src/notify/silence.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { type Client, startServer } from '../http/support/client.ts'
import { noon } from '../http/support/world.ts'
import { freePort } from '../support/process.ts'

const token = 'a-token-of-sixteen-or-more'
let daemon: Client
let silences: Silences

beforeEach(async () => {
  const clock = new ManualClock(noon)
  silences = await Silences.open({ store: new MemoryState(), clock })
  daemon = await startServer({ clock, silences }, { token })
})

afterEach(() => daemon.close())

const adding = {
  action: 'add',
  matchers: ['tenant=acme', 'cause=~"quota.*"'],
  duration: '2h',
  starts: null,
  ends: null,
  comment: 'billing run',
  createdBy: 'anna',
} as const

type Action<T> = T extends unknown ? Omit<T, 'url' | 'token' | 'json'> : never

async function run(args: Action<SilenceArguments>, more: { url?: string; token?: string | null; json?: boolean } = {}) {
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  const full = { url: daemon.url, token, json: false, ...more, ...args }
  const code = await silenceCommand(full, { terminal: { stdin: Readable.from([]), stdout, stderr }, fetch })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

test('add silences what it is told to, for so long', async () => {
  const { code, out } = await run(adding)
  expect(code).toBe(0)
  expect(out).toMatch(/^\S+ silences tenant=acme cause=~"quota\.\*" until 2026-05-01T14:00:00\.000Z\n$/)
  expect(silences.list()).toMatchObject([
    { startsAtMs: noon, endsAtMs: noon + 7_200_000, createdBy: 'anna', comment: 'billing run' },
  ])
})

test('add gives quotes back that the shell has eaten', async () => {
  const { code } = await run({ ...adding, matchers: ['tenant=big corp, inc.'] })
  expect(code).toBe(0)
  expect(silences.muting({ tenant: 'big corp, inc.' }, noon)).not.toBeNull()
})

test('add lasts an hour unless told otherwise, and takes a start and an end', async () => {
  await run({ ...adding, duration: null })
  await run({ ...adding, duration: null, starts: '+1h', ends: '2026-05-02T00:00:00Z' })
  expect(silences.list().map(({ startsAtMs, endsAtMs }) => [startsAtMs - noon, endsAtMs - noon])).toEqual([
    [0, 3_600_000],
    [3_600_000, 12 * 3_600_000],
  ])
})

test('add says what the daemon refuses, and why', async () => {
  const { code, err } = await run({ ...adding, matchers: ['tenant=~".*"'] })
  expect(code).toBe(1)
  expect(err).toContain('the matchers would silence everything')
})

test.each([
  [{ comment: null }, 'say why with --comment'],
  [{ matchers: [] }, 'name what to silence'],
  [{ ends: '+1h' }, 'not both'],
])('add asks for what is missing before it asks the daemon: %j', async (change, problem) => {
  const { code, err } = await run({ ...adding, ...change }, { url: 'http://127.0.0.1:1' })
  expect(code).toBe(2)
  expect(err).toContain(problem)
})

test('list shows what is silenced, by whom and why, and expired ones only on demand', async () => {
  const empty = await run({ action: 'list', expired: false })
  expect(empty.out).toContain('Nothing is silenced')
  await run(adding)
  const shown = await run({ action: 'list', expired: false })
  for (const word of ['tenant=acme cause=~"quota.*"', 'active', 'anna', 'billing run'])
    expect(shown.out).toContain(word)
  const [silence] = silences.list()
  await run({ action: 'expire', ids: [silence?.id ?? ''] })
  expect((await run({ action: 'list', expired: false })).out).toContain('Nothing is silenced')
  const json = await run({ action: 'list', expired: true }, { json: true })
  expect(JSON.parse(json.out)).toMatchObject([{ id: silence?.id, state: 'expired' }])
})

test('expire ends each one it is given, and says which it did not find', async () => {
  await run(adding)
  const [silence] = silences.list()
  const { code, out, err } = await run({ action: 'expire', ids: ['no-such-id', silence?.id ?? ''] })
  expect(code).toBe(1)
  expect(out).toBe(`${silence?.id} ended\n`)
  expect(err).toContain('no-such-id')
  expect((await run({ action: 'expire', ids: [] })).code).toBe(2)
})

test('a daemon that is not there, or asks for a token, is said so without showing the token', async () => {
  const gone = await run({ action: 'list', expired: false }, { url: `http://127.0.0.1:${await freePort()}` })
  expect(gone.code).toBe(1)
  expect(gone.err).toContain('no daemon answers')
  const refused = await run({ action: 'list', expired: false }, { token: 'not-the-token-it-wants' })
  expect(refused.code).toBe(1)
  expect(refused.err).toContain('TOLLWATCH_TOKEN')
  expect(gone.err + refused.err).not.toMatch(/not-the-token-it-wants|a-token-of-sixteen/)
})
