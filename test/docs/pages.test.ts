import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { shippedRules } from '../../src/alert/options.ts'
import { loadRules } from '../../src/alert/rule-files.ts'
import { causes } from '../../src/classify/cause.ts'
import { version } from '../../src/cli/version.ts'
import { loadConfig } from '../../src/config/load.ts'
import { formatNames } from '../../src/decode/decode.ts'
import { type Database, openEmbedded } from '../../src/history/database.ts'
import { migrate } from '../../src/history/migrate.ts'
import { historyOptions } from '../../src/history/options.ts'
import { loadRouting } from '../../src/notify/routing-file.ts'
import { describeWithChdb } from '../support/available.ts'
import { tempDir } from '../support/run-context.ts'
import { blocks, type Page, pages, project } from './pages.ts'
import { settings } from './settings.ts'

const all = pages()
const named = (name: string): Page => all.find((page) => page.name === name) ?? { name, text: '' }
const readme = named('README.md').text
/** What a program wrote: fenced blocks and words in backticks. */
const words = (text: string) => [...text.matchAll(/`([^`\n]+)`/g)].map(([, word]) => word ?? '')
const withoutBlocks = (text: string) => text.replaceAll(/^```[\s\S]*?^```$/gm, '')

const machine = /npmjs|maven\.org|\.npmrc|(?:^|[\s"'`(])\/(?:root|home|work|tmp|Users)\//m

/** The metrics of the contract, each with its labels. */
const metrics = new Map([
  ['tollwatch_gateway_requests_total', 'tenant,api'],
  ['tollwatch_payment_required_total', 'tenant,api,cause'],
  ['tollwatch_payment_required_ratio', 'tenant,api,window'],
  ['tollwatch_records_total', 'result'],
  ['tollwatch_refusals_apart_total', 'kind'],
  ['tollwatch_kafka_lag_records', 'topic,partition'],
  ['tollwatch_watermark_delay_seconds', ''],
  ['tollwatch_series', ''],
  ['tollwatch_series_folded_total', ''],
  ['tollwatch_history_flush_duration_seconds', ''],
  ['tollwatch_history_oldest_unwritten_seconds', ''],
  ['tollwatch_alerts', 'rule,severity,state'],
  ['tollwatch_notifications_total', 'receiver,result'],
])

test('The pages for people are there', () => {
  const names = ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'docs/faults.md', 'docs/compose.md']
  expect(all.map(({ name }) => name)).toEqual(expect.arrayContaining(names))
})

describe.each(all)('$name', ({ name, text }) => {
  const links = [...withoutBlocks(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to]) => to ?? '')

  test('links only to what is there', () => {
    for (const link of links.filter((to) => !/^https?:/.test(to))) {
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(project, name) : join(project, dirname(name), path)
      expect(existsSync(target), link).toBe(true)
      if (anchor === undefined) continue
      const headings = [...readFileSync(target, 'utf8').matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replaceAll(/[^\w -]/g, '')
          .replaceAll(' ', '-'),
      )
      expect(headings, link).toContain(anchor)
    }
  })

  test('names only files that are there', () => {
    const paths = words(withoutBlocks(text)).filter(
      (word) =>
        /^(?:src|test|scripts|deploy|dashboards|alerts|docs|bench)\/[\w./-]+$/.test(word) && !word.includes('NAME'),
    )
    for (const path of paths) expect(existsSync(join(project, path)), path).toBe(true)
  })

  test('names only settings that there are', () => {
    const known = settings()
    const sections = new Set([...known.keys()].map((path) => path.split('.')[0]))
    const paths = words(text).filter((word) => {
      return (
        /^[a-z_]+(?:\.[a-z_0-9]+)+$/.test(word) && sections.has(word.split('.')[0]) && !/\.(?:yaml|ts|md)$/.test(word)
      )
    })
    for (const path of paths) expect([...known.keys()], path).toContain(path)
  })

  test('names no metric but those of the contract', () => {
    for (const [metric] of text.matchAll(/\btollwatch_[a-z0-9_]+/g)) expect([...metrics.keys()]).toContain(metric)
  })

  test('sends nobody to a registry, and shows no path of a machine', () => {
    expect(text).not.toMatch(machine)
    const hosts = [...text.matchAll(/https?:\/\/([^\s/:)'"`]+)/g)].map(([, host]) => host)
    for (const host of hosts)
      expect(host).toMatch(/^(?:127\.0\.0\.1|localhost|HOST|clickhouse|[\w.-]*example\.(?:com|net|org))$/)
  })
})

describe('Metrics in the README', () => {
  const rows = [...readme.matchAll(/^\| `(tollwatch_\w+)(?:\{([\w,]+)\})?` \|/gm)]

  test('have the labels of the contract', () => {
    expect(rows.length).toBeGreaterThan(5)
    for (const [, name = '', labels = ''] of rows) expect([name, labels]).toEqual([name, metrics.get(name)])
  })

  test('are in what the daemon exports, with those labels', () => {
    const exported = readFileSync(join(project, 'test/telemetry/metrics.golden.txt'), 'utf8')
    for (const [name, labels] of metrics) {
      const line = new RegExp(`^${name}(?:_bucket)?(?:\\{(.*)\\})? `, 'm').exec(exported)
      expect(line, name).not.toBeNull()
      const found = [...(line?.[1] ?? '').matchAll(/(\w+)="/g)].map(([, label]) => label)
      expect(found.filter((label) => label !== 'le').join(',')).toBe(labels)
    }
  })
})

const yamlBlocks = all.flatMap(blocks).filter(({ language }) => language === 'yaml')

test('There are settings and routes in the README', () => {
  expect(yamlBlocks.filter(({ page }) => page === 'README.md')).toHaveLength(2)
})

test.each(yamlBlocks)('YAML in $page loads: $text', async ({ text }) => {
  const secrets = Object.fromEntries(
    [...text.matchAll(/\$\{(\w+)\}/g)].map(([, name = '']) => [name, 'http://127.0.0.1:1/secret']),
  )
  const file = join(tempDir('snippet'), 'snippet.yaml')
  writeFileSync(file, text)
  const loaded = 'route' in parse(text) ? await loadRouting(file, secrets) : loadConfig(file, {}, secrets)
  expect(loaded).toMatchObject({ ok: true })
})

describeWithChdb('SQL in the pages', () => {
  const statements = all.flatMap(blocks).filter(({ language }) => language === 'sql')
  let database: Database
  beforeAll(async () => {
    database = await openEmbedded(join(tempDir('sql'), 'store'))
    await migrate(database, historyOptions.parse({}).retention)
    return () => database.close()
  })

  test('is there', () => {
    expect(statements.length).toBeGreaterThan(1)
  })

  test.each(statements)('runs: $text', async ({ text }) => {
    expect(await database.query(text)).toEqual([])
  })
})

describe('The README', () => {
  test('has a row for every layout, with a link to how its gateway is set up', () => {
    const table = readme.slice(readme.indexOf('| format |'))
    const rows = [...table.slice(0, table.indexOf('\n\n')).matchAll(/^\| `([a-z0-9-]+)` \|/gm)].map(([, name]) => name)
    expect(rows.sort()).toEqual([...formatNames].sort())
    const links = [...table.slice(0, table.indexOf('\n\n')).matchAll(/\(docs\/gateways\.md#[a-z0-9-]+\)/g)]
    // All but `custom`, which is no gateway.
    expect(links).toHaveLength(formatNames.length - 1)
  })

  test('counts right', () => {
    const rules = loadRules([shippedRules], project)
    expect(rules.ok && rules.rules.length).toBe(13)
    expect(readme).toContain('Thirteen rules run out of the box')
    expect(causes).toHaveLength(12)
    expect(named('CHANGELOG.md').text).toContain('twelve causes')
  })

  test('has a picture of a size that loads quickly', () => {
    const picture = join(project, 'docs/images/page-now.png')
    expect(readme).toContain('(docs/images/page-now.png)')
    expect(statSync(picture).size).toBeLessThan(300_000)
    // The width stands in the header of every PNG.
    expect(readFileSync(picture).readUInt32BE(16)).toBe(1_200)
  })
})

test('The changelog begins with the version there is', () => {
  expect(/^## (\S+)/m.exec(named('CHANGELOG.md').text)?.[1]).toBe(version)
})
