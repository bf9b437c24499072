import { readdirSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'

// The map of ARCHITECTURE.md, kept true: reading order is import order, and each outside client has one home.

const root = new URL('../src/', import.meta.url)

const order = [
  ...[
    'fault',
    'time',
    'file',
    'source',
    'decode',
    'classify',
    'tenants',
    'core',
    'window',
    'history',
    'alert',
    'notify',
  ],
  ...['telemetry', 'http', 'mcp', 'config', 'pipeline.ts', 'front.ts', 'app.ts', 'cli', 'main.ts'],
]

/** Packages that stand for something outside, and the one file that talks to it; Kafka's wire fills two. */
const homes = new Map([
  ['kafkajs', 'source/kafka-wire.ts source/kafka-requests.ts'],
  ['@node-rs/crc32', 'source/kafka-records.ts'],
  ['fzstd', 'source/zstd.ts'],
  ['@clickhouse/client', 'history/database.ts'],
  ['chdb', 'history/database.ts'],
  ['yaml', 'file/yaml-file.ts'],
  ['nodemailer', 'notify/email.ts'],
  ['@resvg/resvg-js', 'notify/chart-image.ts'],
  ['rrule', 'notify/schedule.ts'],
  ['pino', 'telemetry/log.ts'],
  ['@opentelemetry/api', 'telemetry/metrics.ts'],
  ['@opentelemetry/sdk-metrics', 'telemetry/metrics.ts'],
  ['@opentelemetry/exporter-prometheus', 'telemetry/metrics.ts'],
  ['fastify', 'http/server.ts'],
  ['@modelcontextprotocol/sdk', 'mcp/server.ts'],
  ['cli-table3', 'cli/output.ts'],
  ['cli-progress', 'cli/progress.ts'],
])
/** A vocabulary rather than an outside: the schemas of settings, and the definition of commands. */
const everywhere = new Set(['zod', 'commander'])

const files = (readdirSync(root, { recursive: true }) as string[])
  .map((file) => file.replaceAll('\\', '/'))
  .filter((file) => file.endsWith('.ts') && !file.startsWith('http/page/'))

const read = (file: string) => readFileSync(new URL(file, root), 'utf8')

function specifiers(file: string): string[] {
  return [
    ...read(file).matchAll(/^(?:import|export|\}).*?\bfrom '([^'\n]+)'|\bimport\('([^'\n]+)'\)|^import '([^'\n]+)'/gm),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

const importsOf = (file: string) =>
  specifiers(file)
    .filter((name) => name.startsWith('.'))
    .map((name) => posix.join(posix.dirname(file), name))

const packagesOf = (file: string) =>
  specifiers(file)
    .filter((name) => !name.startsWith('.') && !isBuiltin(name))
    .map((name) =>
      name
        .split('/')
        .slice(0, name.startsWith('@') ? 2 : 1)
        .join('/'),
    )

const place = (file: string) => order.indexOf(file.split('/')[0] ?? '')

/** What is wrong with each file, for a message that names them all. */
const violations = (find: (file: string) => readonly string[]) =>
  files.flatMap((file) => find(file).map((found) => `${file}: ${found}`))

describe('src/', () => {
  test('has a place on the map for every file, and none imports from after its own', () => {
    expect(files.length).toBeGreaterThan(100)
    expect(violations((file) => (place(file) < 0 ? ['is not on the map'] : []))).toEqual([])
    expect(violations((file) => importsOf(file).filter((target) => place(target) > place(file)))).toEqual([])
  })

  test('leaves each client library to its one home', () => {
    const strangers = (file: string) =>
      packagesOf(file).filter((name) => !everywhere.has(name) && !homes.get(name)?.split(' ').includes(file))
    expect(violations(strangers)).toEqual([])
  })

  test('asks the clock for the time', () => {
    const asks = (file: string) =>
      read(file).match(/Date\.now\(|new Date\(\)|performance\.now\(|process\.hrtime/g) ?? []
    expect(violations((file) => (file === 'time/clock.ts' ? [] : asks(file)))).toEqual([])
  })

  test('re-exports nothing: a thing is imported from where it lives', () => {
    expect(violations((file) => read(file).match(/^export (?:\*|\{[^}]*\}) from .*/gm) ?? [])).toEqual([])
  })
})
