import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { parseTenants, tenantLimit } from '../../src/tenants/parse-tenants.ts'

const read = async (text: string) => {
  const parsed = await parseTenants(text, 'tenants.yaml')
  if (!parsed.ok) throw new Error(parsed.problems.map(formatProblem).join('\n'))
  return parsed.tenants
}

const problems = async (text: string) => {
  const parsed = await parseTenants(text, 'tenants.yaml')
  return parsed.ok ? [] : parsed.problems.map(formatProblem)
}

const acme = `
# Who is who
tenants:
  acme:
    name: Acme Ltd
    plan: gold
    timezone: Europe/Berlin
    contacts:
      billing: [ap@acme.example, cfo@acme.example]
      technical: ops@acme.example

  # Only a name
  blue-heron: {name: Blue Heron}
  empty:
`

describe('a directory', () => {
  test('says who the tenants are', async () => {
    const tenants = await read(acme)
    expect(tenants.get('acme')).toEqual({
      ...{ id: 'acme', name: 'Acme Ltd', plan: 'gold', timezone: 'Europe/Berlin' },
      contacts: new Map([
        ['billing', ['ap@acme.example', 'cfo@acme.example']],
        ['technical', ['ops@acme.example']],
      ]),
    })
    const unknown = { plan: null, timezone: null, contacts: new Map() }
    expect(tenants.get('blue-heron')).toEqual({ id: 'blue-heron', name: 'Blue Heron', ...unknown })
    expect(tenants.get('empty')).toEqual({ id: 'empty', name: null, ...unknown })
  })

  test('says when a subscription ends, by the calendar of the tenant', async () => {
    const tenants = await read(
      'tenants:\n  a: {expires: 2026-12-31, timezone: Europe/Berlin}\n  b: {expires: "2026-12-31T18:00:00Z"}\n  c: {expires: ""}\n',
    )
    expect(tenants.get('a')?.expires).toEqual({ text: '2026-12-31', atMs: Date.UTC(2026, 11, 31, 23) })
    expect(tenants.get('b')?.expires).toEqual({ text: '2026-12-31T18:00:00Z', atMs: Date.UTC(2026, 11, 31, 18) })
    expect(tenants.get('c')).not.toHaveProperty('expires')
  })

  test('keeps ids as they are written', async () => {
    const ids = ['007', '1e3', '12345678901234567890', 'true', 'false', '0x1F', 'a.b:c/d', '5f0c9e8d0']
    const tenants = await read(`tenants:\n${ids.map((id) => `  ${id}: {name: n}\n`).join('')}  "~x y": {plan: 12}\n`)
    expect([...tenants.keys()]).toEqual([...ids, '~x y'])
    expect(tenants.get('~x y')?.plan).toBe('12')
  })

  test.each(['', '# nothing yet\n', 'tenants:\n', 'tenants: {}', 'tenants:\n  # none\n', '{}', '---\ntenants:\n'])(
    'may be empty: %j',
    async (text) => expect((await read(text)).size).toBe(0),
  )

  test('may be JSON, or YAML with braces', async () => {
    const json = JSON.stringify({
      tenants: { acme: { name: 'Acme', contacts: { billing: 'a@acme.example' } }, b: null },
    })
    expect((await read(json)).get('acme')?.contacts.get('billing')).toEqual(['a@acme.example'])
    expect((await read('{tenants: {acme: {name: Acme}}}')).get('acme')?.name).toBe('Acme')
  })

  test('may have line ends of Windows and a byte order mark', async () => {
    expect([...(await read(`\ufeff${acme.replaceAll('\n', '\r\n')}`)).keys()]).toEqual(['acme', 'blue-heron', 'empty'])
  })

  test('of any size is the same as read in one piece', async () => {
    const one = (i: number) =>
      `  t-${i}:\n    name: "Tenant\n      number ${i}"\n    plan: |\n      gold\n    # a note\n    contacts:\n      billing:\n        - ap@t${i}.example\n`
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 700 }), async (count) => {
        const tenants = await read(`tenants:\n${Array.from({ length: count }, (_, i) => one(i)).join('')}`)
        expect(tenants.size).toBe(count)
        expect(tenants.get(`t-${count - 1}`)).toMatchObject({ name: `Tenant number ${count - 1}`, plan: 'gold' })
      }),
      { numRuns: 5 },
    )
  })
})

test('rubbish is told, never thrown', async () => {
  const lines = fc.array(
    fc.constantFrom('tenants:', '  a:', '    name: x', '- b', '  {', '\t', '"', '  a: [', '&x', '*x', '---', '# c'),
  )
  const rubbish = fc.oneof(
    fc.string(),
    fc.json(),
    lines.map((all) => all.join('\n')),
  )
  await fc.assert(
    fc.asyncProperty(rubbish, async (text) => {
      const parsed = await parseTenants(text, 'x')
      expect(parsed.ok || parsed.problems.length > 0).toBe(true)
    }),
    { numRuns: 200 },
  )
})

describe('what is wrong is told with its line', () => {
  const fix =
    'Fix: write it like acme: {name: Acme Ltd, plan: gold, timezone: Europe/Berlin, contacts: {billing: [ap@acme.example]}, expires: 2026-12-31}.'

  test.each([
    [
      'tenants:\n  a:\n    expires: 31.12.2026\n',
      `tenants.yaml:3: tenants.a.expires is neither a day such as 2026-12-31 nor an instant with its zone such as 2026-12-31T18:00:00Z. ${fix}`,
    ],
    ['tenants:\n  a:\n    nmae: x\n', `tenants.yaml:3: tenants.a.nmae is no key of a tenant. ${fix}`],
    [
      'tenants:\n  a:\n    timezone: Mars/Olympus\n',
      `tenants.yaml:3: tenants.a.timezone is no time zone; zones are named like Europe/Berlin. ${fix}`,
    ],
    [
      'tenants:\n  a:\n    contacts: {billing: [x@y.example, nobody]}\n',
      `tenants.yaml:3: tenants.a.contacts.billing[1] is no mail address. ${fix}`,
    ],
    [
      'tenants:\n  a:\n    contacts: ap@a.example\n',
      `tenants.yaml:3: tenants.a.contacts must be purposes, such as billing, each with mail addresses. ${fix}`,
    ],
    [
      'tenants:\n  a:\n    contacts: {"to whom": ap@a.example}\n',
      `tenants.yaml:3: tenants.a.contacts.to whom is no plain word such as billing. ${fix}`,
    ],
    [
      'tenants:\n  a: Acme\n',
      `tenants.yaml:2: tenants.a must be a group of name, plan, timezone, contacts and expires. ${fix}`,
    ],
    ['tenants:\n  a:\n    name: [x]\n', `tenants.yaml:3: tenants.a.name must be text. ${fix}`],
    ['tenants: [a, b]\n', `tenants.yaml:1: tenants must be a group of tenants, each under its id. ${fix}`],
    [
      'acme:\n  name: Acme\n',
      'tenants.yaml:1: acme does not belong here. Fix: put all tenants under the one key `tenants`.',
    ],
    [
      'tenants:\n  a: {}\nplans:\n  b: {}\n',
      'tenants.yaml:3: plans does not belong here. Fix: put all tenants under the one key `tenants`.',
    ],
    [
      'tenants:\n  "-": {}\n',
      'tenants.yaml:2: tenants.- can be no id of a tenant in a log. Fix: write it as the access log has it.',
    ],
  ])('%j', async (text, expected) => {
    expect(await problems(text)).toEqual([expected])
  })

  test('all at once, and no more than can be read', async () => {
    expect(await problems('tenants:\n  a: {x: 1}\n  b: {y: 1}\n')).toHaveLength(2)
    const many = Array.from({ length: 300 }, (_, i) => `  t${i}: {x: 1}\n`).join('')
    expect(await problems(`tenants:\n${many}`)).toHaveLength(50)
  })

  test('also far down in a large file', async () => {
    const many = Array.from({ length: 3_000 }, (_, i) => `  t${i}:\n    name: n\n`).join('')
    expect(await problems(`tenants:\n${many}  bad:\n    nmae: x\n  worse: {\n`)).toEqual([
      expect.stringMatching(/^tenants\.yaml:6005: is no valid YAML/),
    ])
    expect(await problems(`tenants:\n${many}  bad:\n    nmae: x\n`)).toEqual([
      expect.stringContaining('tenants.yaml:6003: tenants.bad.nmae'),
    ])
  })

  test('a tenant that stands there twice', async () => {
    expect(await problems('tenants:\n  a: {}\n  b: {}\n  a: {}\n')).toEqual([
      expect.stringMatching(/^tenants\.yaml:4: /),
    ])
    const many = Array.from({ length: 2_000 }, (_, i) => `  t${i}: {}\n`).join('')
    expect(await problems(`tenants:\n${many}  x: {}\n  t7: {}\n`)).toEqual([
      'tenants.yaml:2003: tenants.t7 stands here a second time. Fix: keep one of the two.',
    ])
  })

  test('one tenant too many', async () => {
    const ids = Array.from({ length: tenantLimit + 1 }, (_, i) => [`t${i}`, {}])
    expect(await problems(JSON.stringify({ tenants: Object.fromEntries(ids) }))).toEqual([
      expect.stringContaining(`a directory holds ${tenantLimit}`),
    ])
  })

  test('and no value is repeated', async () => {
    const told = await problems('tenants:\n  a: {timezone: hush, contacts: {billing: hush}}\n')
    expect(told).toHaveLength(2)
    expect(told.join()).not.toContain('hush')
  })
})
