import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { classifyOptions } from '../../src/classify/options.ts'
import { type DecodeArgs, decodeCommand } from '../../src/cli/decode.ts'
import { adviceFor } from '../../src/cli/decode-advice.ts'
import { formatNames } from '../../src/decode/decode.ts'
import { decodeOptions } from '../../src/decode/options.ts'

const kong = (changes: object) => ({
  ...{ latencies: { request: 4 }, started_at: 1791188136042, request: { id: 'r', uri: '/v1/answers/77?secret=hush' } },
  ...{ route: { name: 'answers' }, service: { name: 'answers-svc' }, consumer: { custom_id: 'acme' }, source: 'kong' },
  response: { status: 200, headers: {} },
  ...changes,
})
const limited = kong({
  upstream_status: '',
  response: {
    ...{ status: 402, headers: { 'ratelimit-remaining': '0', 'set-cookie': 'hush' } },
    body: '{"error":{"message":"API rate limit exceeded for hush","type":"invalid_request_error","code":"hushhushhush1234567890"}}',
  },
})
const unnamed = kong({
  route: undefined,
  service: undefined,
  consumer: undefined,
  response: { status: 402, headers: {} },
})
const priceTag = kong({ response: { status: 402, headers: { 'www-authenticate': 'Payment id="1"' } } })
const masked = kong({ upstream_status: '402, 200', source: 'upstream' })
const nginx = (changes: object) => ({
  ...{ status: '402', request_uri: '/billing/eu', body_bytes_sent: '5', time_iso8601: '2026-10-05T08:15:36+00:00' },
  ...{ http_x_tenant_id: 'acme', request_time: '0.004' },
  ...changes,
})
const outOfMoney = nginx({ status: 429, response_body: '{"error":{"code":"insufficient_quota"}}' })
const stream = { latencies: {}, started_at: 1, session: { status: 200 } }

async function explain(values: readonly unknown[], args: Partial<DecodeArgs> = {}) {
  const collect = () => {
    const chunks: string[] = []
    const stream = new Writable({
      write(chunk: Buffer, _, done) {
        chunks.push(chunk.toString())
        done()
      },
    })
    return { stream, text: () => chunks.join('') }
  }
  const [out, err] = [collect(), collect()]
  const lines = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  const code = await decodeCommand(
    {
      ...{ files: [], format: 'auto', strict: false, explain: true, options: decodeOptions.parse({}) },
      ...{ classify: classifyOptions.parse({}), ...args },
    },
    { stdin: Readable.from([lines.join('\n')]), stdout: out.stream, stderr: err.stream },
  )
  return { code, out: out.text(), err: err.text() }
}

const explained = async (value: unknown, args: Partial<DecodeArgs> = {}) =>
  JSON.parse((await explain([value], { json: true, ...args })).out)

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tollwatch-explain-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('tells a person how records were read, once for all that were read alike', async () => {
  const classify = classifyOptions.parse({
    rules: [
      { name: 'eu billing', when: { api: '/billing/*', text: 'overdue' }, cause: 'subscription_expired' },
      { when: { service: 'answers-*', status: 402, code: 'NEVER' }, cause: 'payment_failed' },
    ],
    watch: [{ status: 403, codes: ['NOT_ENOUGH_BALANCE'] }],
  })
  const values = [
    ...[limited, kong({}), limited, unnamed, kong({}), priceTag, masked, 'nonsense', stream, 'more nonsense'],
    ...[
      outOfMoney,
      nginx({ response_body: 'Invoice overdue' }),
      nginx({ status: 403, response_body: 'NOT_ENOUGH_BALANCE' }),
    ],
    { a: 1, b: 2 },
  ]
  const { code, out, err } = await explain(values, { classify })
  await expect(`${out}${err}`).toMatchFileSnapshot('../golden/cli/decode-explain.txt')
  expect(code).toBe(0)
  expect(out).not.toContain('hush')
})

test('gives programs one explanation per record', async () => {
  const { out, err } = await explain([limited, stream, 'nonsense'], { json: true })
  const rows = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(rows).toEqual([
    {
      ...{ line: 1, time: '2026-10-05T08:15:36.042Z', status: 402, tenant: 'acme', api: 'answers' },
      ...{ cause: 'quota_exceeded', cause_code: 'limit exceeded', cause_source: 'response.body.error.message' },
      ...{ latency_ms: 4, request_id: 'r', format: 'kong' },
      explain: {
        ...{ format: 'kong', format_choice: 'recognised', format_keys: ['latencies', 'started_at'] },
        ...{ tenant_place: 'consumer.custom_id', api_place: 'route.name', service: 'answers-svc' },
        could_be_watched: false,
        refusal: {
          ...{
            kind: 'payment_required',
            answered_by: 'gateway',
            cause: 'quota_exceeded',
            cause_code: 'limit exceeded',
          },
          ...{ cause_source: 'response.body.error.message', decided_by: 'text' },
          outranked: [
            {
              ...{ kind: 'header', cause: 'quota_exceeded', word: 'ratelimit-remaining: 0' },
              source: 'response.headers.ratelimit-remaining',
            },
          ],
          // The code that looks made by a machine is not shown: it could be a secret.
          says_nothing: [
            { kind: 'code', cause: null, word: 'invalid_request_error', source: 'response.body.error.type' },
          ],
        },
      },
    },
    { line: 2, skipped: 'no-http' },
    { line: 3, error: 'not-json', message: 'the value is no JSON' },
  ])
  expect(JSON.parse(err)).toMatchObject({ lines: 3, records: 1, payment_required: 1, skipped: 1, unreadable: 1 })
})

test('says what a refusal under another status is, and leaves the cause of the row alone', async () => {
  expect(await explained(masked)).toMatchObject({
    cause: null,
    explain: { refusal: { kind: 'upstream_402', answered_by: 'upstream', cause: 'unknown', decided_by: null } },
  })
  expect(await explained(outOfMoney)).toMatchObject({ explain: { refusal: null, could_be_watched: true } })
  const classify = classifyOptions.parse({ watch: ['well-known'] })
  expect(await explained(outOfMoney, { classify })).toMatchObject({
    cause: null,
    explain: { refusal: { kind: 'equivalent', cause: 'quota_exceeded' }, could_be_watched: false },
  })
})

test('names the rule that decided, and what it outranked', async () => {
  const classify = classifyOptions.parse({
    rules: [{ name: 'mine', when: { api: 'answers' }, cause: 'payment_failed' }],
  })
  const { explain } = await explained(limited, { classify })
  expect(explain.refusal).toMatchObject({ decided_by: 'rule', cause: 'payment_failed', cause_source: 'rule:mine' })
  expect(explain.refusal.outranked.map(({ kind }: { kind: string }) => kind)).toEqual(['text', 'header'])
})

test('tells marks of the gateway that count for nothing where the upstream answered', async () => {
  const passed = { ...limited, source: 'upstream', response: { status: 402, headers: { 'ratelimit-remaining': '0' } } }
  expect((await explained(passed)).explain.refusal).toMatchObject({
    ...{ cause: 'unknown', decided_by: null, outranked: [] },
    says_nothing: [{ kind: 'header', cause: null, word: 'ratelimit-remaining: 0' }],
  })
})

test('says that a format was set, and which of its keys are there', async () => {
  expect((await explained(limited, { format: 'kong' })).explain).toMatchObject({
    format_choice: 'set',
    format_keys: ['latencies', 'started_at'],
  })
  expect((await explain([{ response: { status: 200 } }], { format: 'kong' })).out).toContain(
    'kong, as the format was set: 1 record\n',
  )
})

test('follows the places that the operator named', async () => {
  const options = decodeOptions.parse({ tenant: { kong: ['request.id'] } })
  expect(await explained(limited, { options })).toMatchObject({ tenant: 'r', explain: { tenant_place: 'request.id' } })
})

test('names the file of a line where there are several', async () => {
  const [one, two] = [join(folder, 'one.ndjson'), join(folder, 'two.ndjson')]
  await writeFile(one, `${JSON.stringify(limited)}\n`)
  await writeFile(two, `${JSON.stringify(limited)}\n${JSON.stringify(unnamed)}\nnonsense\n`)
  const { out } = await explain([], { files: [one, two] })
  expect(out).toContain(`line ${one}:1 and 1 more like it: 402`)
  expect(out).toContain(`line ${two}:2: 402`)
  expect(out).toContain(`line ${two}:3: not-json`)
})

test('keeps no more kinds of records than anybody would read', async () => {
  const codes = Array.from({ length: 200 }, (_, i) =>
    kong({
      source: 'kong',
      response: { status: 402, headers: { 'x-error-code': 'past_due' }, body: `budget${' '.repeat(i)}x` },
      consumer: { custom_id: `t-${i}` },
    }),
  )
  const { out } = await explain(codes)
  expect(out.match(/^ {2}line /gm)).toHaveLength(1)
  const rules = codes.slice(0, 60).map((_, i) => ({ name: `r${i}`, when: { tenant: `t-${i}` }, cause: 'unknown' }))
  const many = await explain(codes, { classify: classifyOptions.parse({ rules }) })
  expect(many.out.match(/^ {2}line /gm)).toHaveLength(30)
  expect(many.out).toContain('and 170 records of other kinds')
})

test('has advice for every layout', () => {
  expect(Object.keys(adviceFor).sort()).toEqual([...formatNames].sort())
})
