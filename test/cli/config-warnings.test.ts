import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { checkConfigCommand } from '../../src/cli/check-config.ts'
import { tempDir } from '../support/run-context.ts'

async function check(text: string) {
  const file = join(tempDir('warnings'), 'tollwatch.yaml')
  writeFileSync(file, text)
  const said = { out: '', err: '' }
  const into = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _, done) {
        said[name] += chunk.toString().replaceAll(file, 'tollwatch.yaml')
        done()
      },
    })
  const code = await checkConfigCommand(
    file,
    {},
    { stdin: Readable.from([]), stdout: into('out'), stderr: into('err') },
  )
  return { code, ...said }
}

test('warns of rules that can never decide, with their lines, and finds no problem', async () => {
  const { code, out, err } = await check(`classify:
  rules:
    - when: {service: 'billing-*'}
      cause: subscription_expired
    - name: late
      when: {service: billing-eu, status: 429}
      cause: payment_failed
`)
  expect(err.trim().split('\n')).toEqual([
    'warning: tollwatch.yaml:5: classify.rules[1] can never decide: the rule "1" before it fits every call that this one fits. Fix: move it up, or make the earlier rule narrower.',
    'warning: tollwatch.yaml:5: classify.rules[1] asks for status 429, which is looked at only where the upstream answered 402. Fix: name the status 429 under classify.watch, or take it out of the rule.',
  ])
  expect([code, out]).toEqual([0, 'tollwatch.yaml: no problem\n'])
})

test('tells what is wrong with rules and watched statuses, each on its line', async () => {
  const { code, err } = await check(`classify:
  rules:
    - when: {}
      cause: subscription_expired
    - when: {servce: x, status: 402}
      cause: paymnt
  watch: [{status: 429}]
`)
  expect(
    err
      .replaceAll(/ Fix: .*/g, '')
      .trim()
      .split('\n'),
  ).toEqual([
    'tollwatch.yaml:3: classify.rules[0].when needs at least one condition: api, service, tenant, status, code or text.',
    'tollwatch.yaml:5: classify.rules[1].when.servce there is no setting "servce".',
    expect.stringMatching(/^tollwatch\.yaml:6: classify\.rules\[1\]\.cause is not known\./),
    'tollwatch.yaml:7: classify.watch[0] needs at least one of codes and texts.',
    '4 problems',
  ])
  expect(code).toBe(2)
})

test('says nothing about rules that each decide something', async () => {
  const rules = 'classify:\n  rules:\n    - {when: {api: a}, cause: unknown}\n    - {when: {api: b}, cause: unknown}\n'
  expect(await check(rules)).toEqual({ code: 0, out: 'tollwatch.yaml: no problem\n', err: '' })
})
