import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { loadConfig } from '../../src/config/load.ts'
import { loadRouting } from '../../src/notify/routing-file.ts'
import { describeWithCompose, describeWithKafka, describeWithPromtool } from '../support/available.ts'
import { dashboards } from '../support/dashboards.ts'
import { checkServerProperties } from '../support/kafka.ts'
import { run } from '../support/process.ts'
import { checkConfig } from '../support/promtool.ts'

const project = fileURLToPath(new URL('../..', import.meta.url))
const read = (path: string) => readFileSync(join(project, path), 'utf8')
const yaml = (path: string): unknown => parse(read(path))

/** The keys of the compose specification that the file uses, each with its shape there; any other is a mistake. */
const duration = z.string().regex(/^\d+(ms|s|m)$/)
const service = z.strictObject({
  image: z.string().regex(/^[a-z0-9./-]+:v?\d[\w.-]*$/, { error: 'is not pinned to a version' }),
  build: z.strictObject({ context: z.string() }).optional(),
  command: z.array(z.string()).optional(),
  restart: z.enum(['no', 'unless-stopped']).optional(),
  environment: z.record(z.string().regex(/^[A-Z0-9_]+$/), z.string()).optional(),
  depends_on: z
    .union([
      z.array(z.string()),
      z.record(
        z.string(),
        z.strictObject({ condition: z.enum(['service_started', 'service_healthy', 'service_completed_successfully']) }),
      ),
    ])
    .optional(),
  volumes: z.array(z.string().regex(/^[\w./-]+:\/[\w./-]+(:ro)?$/)).optional(),
  ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, { error: 'is reachable from other machines' })).optional(),
  healthcheck: z
    .strictObject({
      test: z.tuple([z.literal('CMD')], z.string()),
      interval: duration,
      timeout: duration,
      retries: z.int().positive(),
    })
    .optional(),
  ulimits: z.strictObject({ nofile: z.strictObject({ soft: z.int(), hard: z.int() }) }).optional(),
  read_only: z.boolean().optional(),
  tmpfs: z.array(z.string()).optional(),
  cap_drop: z.array(z.literal('ALL')).optional(),
  security_opt: z.array(z.literal('no-new-privileges:true')).optional(),
  stop_grace_period: duration.optional(),
})
const composeFile = z.strictObject({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) })

const compose = composeFile.parse(yaml('docker-compose.yml'))
const services = Object.entries(compose.services)
const mounts = services.flatMap(([name, { volumes = [] }]) =>
  volumes.map((volume) => ({ name, from: volume.split(':')[0] ?? '', to: volume.split(':')[1] ?? '' })),
)
const mountOf = (name: string, to: string) => mounts.find((mount) => mount.name === name && mount.to === to)?.from
const environmentOf = (name: string) => compose.services[name]?.environment ?? {}

describe('docker-compose.yml', () => {
  test('mounts only what is there', () => {
    for (const { from } of mounts) {
      expect(from.startsWith('./') ? existsSync(join(project, from)) : from in compose.volumes, from).toBe(true)
    }
    expect(Object.keys(compose.volumes).sort()).toEqual(
      mounts
        .map(({ from }) => from)
        .filter((from) => !from.startsWith('./'))
        .sort(),
    )
  })

  test('waits only for services there are, and for health only where it is asked after', () => {
    for (const [name, { depends_on = [] }] of services) {
      for (const [other, how] of Array.isArray(depends_on)
        ? depends_on.map((one) => [one, null] as const)
        : Object.entries(depends_on)) {
        expect(compose.services[other], `${name} waits for ${other}`).toBeDefined()
        if (how?.condition === 'service_healthy') expect(compose.services[other]?.healthcheck).toBeDefined()
      }
    }
  })

  test('takes every secret from .env, and deploy/example.env names them all without a value', () => {
    const asked = [...read('docker-compose.yml').matchAll(/\$\{(\w+):\?/g)].map(([, name]) => name ?? '')
    const offered = [...read('deploy/example.env').matchAll(/^(\w+)=$/gm)].map(([, name]) => name ?? '')
    expect([...new Set(asked)].sort()).toEqual([...offered].sort())
    for (const [, { environment = {} }] of services) {
      for (const [key, value] of Object.entries(environment)) {
        if (/PASSWORD|TOKEN/.test(key)) expect(value, key).toMatch(/^\$\{\w+:\?/)
      }
    }
  })

  test('gives Tollwatch a configuration that it accepts', () => {
    const file = join(project, mountOf('tollwatch', '/etc/tollwatch/tollwatch.yaml') ?? '')
    const environment = { ...environmentOf('tollwatch'), TOLLWATCH_TOKEN: 'x'.repeat(24), CLICKHOUSE_PASSWORD: 'x' }
    const loaded = loadConfig(file, {}, environment)
    expect(loaded).toMatchObject({ ok: true })
    if (!loaded.ok) return
    const { source, history, http, telemetry, notify } = loaded.config
    expect(source.kafka?.brokers).toEqual(['kafka:19092'])
    expect(compose.services['kafka-topic']?.command).toContain(`--topic=${source.kafka?.topic}`)
    expect(history.clickhouse).toMatchObject({
      url: 'http://clickhouse:8123',
      user: environmentOf('clickhouse')['CLICKHOUSE_USER'],
    })
    expect(mountOf('tollwatch', history.data_dir)).toBe('tollwatch-data')
    expect(compose.services['tollwatch']?.ports).toEqual([`127.0.0.1:8402:${http.listen.split(':')[1]}`])
    expect(telemetry.listen).toBe('0.0.0.0:9464')
    expect(mountOf('tollwatch', `/etc/tollwatch/${notify.file}`)).toBe('./deploy/notify.yaml')
  })

  test('gives Tollwatch routes that it accepts, to the mail catcher', async () => {
    expect(await loadRouting(join(project, 'deploy/notify.yaml'), {})).toMatchObject({ ok: true })
    expect(read('deploy/notify.yaml')).toContain('smtp_smarthost: mail:1025')
    expect(compose.services['mail']).toBeDefined()
  })

  test('gives Grafana both data sources, with the types that the dashboards ask for', () => {
    const datasource = z.strictObject({
      name: z.string(),
      uid: z.string(),
      type: z.string(),
      access: z.literal('proxy'),
      url: z.url().optional(),
      isDefault: z.boolean().optional(),
      jsonData: z.record(z.string(), z.union([z.string(), z.number()])),
      secureJsonData: z.strictObject({ password: z.literal('$GRAFANA_CLICKHOUSE_PASSWORD') }).optional(),
    })
    const file = z.strictObject({ apiVersion: z.literal(1), datasources: z.array(datasource) })
    const { datasources } = file.parse(yaml('deploy/grafana/datasources/tollwatch.yaml'))
    const asked = dashboards().flatMap(({ json }) =>
      json.templating.list.filter(({ type }) => type === 'datasource').map(({ query }) => query),
    )
    expect(datasources.map(({ type }) => type).sort()).toEqual([...new Set(asked)].sort())
    expect(datasources[0]?.url).toBe('http://prometheus:9090')
    expect(datasources[1]?.jsonData).toMatchObject({ host: 'clickhouse', port: 8123, username: 'grafana' })
    expect(Object.keys(environmentOf('grafana'))).toContain('GRAFANA_CLICKHOUSE_PASSWORD')
    expect(environmentOf('grafana')['GF_PLUGINS_PREINSTALL_SYNC']).toContain(datasources[1]?.type)
  })

  test('gives Grafana the dashboards where its provider looks', () => {
    const provider = z.strictObject({
      name: z.string(),
      folder: z.literal('Tollwatch'),
      // The same folder in every Grafana, so that links to it hold.
      folderUid: z.literal('tollwatch'),
      type: z.literal('file'),
      allowUiUpdates: z.literal(false),
      updateIntervalSeconds: z.int(),
      options: z.strictObject({ path: z.string() }),
    })
    const file = z.strictObject({ apiVersion: z.literal(1), providers: z.tuple([provider]) })
    const { providers } = file.parse(yaml('deploy/grafana/dashboards/tollwatch.yaml'))
    const { path } = providers[0].options
    expect(mountOf('grafana', path)).toBe('./dashboards')
    const home = environmentOf('grafana')['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'] ?? ''
    expect(existsSync(join(project, home.replace(path, 'dashboards')))).toBe(true)
  })

  test('gives Grafana a ClickHouse user that can only read', () => {
    const user = z.strictObject({
      password: z.strictObject({ '@from_env': z.string() }),
      networks: z.strictObject({ ip: z.string() }),
      profile: z.literal('grafana'),
      quota: z.literal('default'),
      grants: z.tuple([z.strictObject({ query: z.literal('GRANT SELECT ON tollwatch.*') })]),
    })
    const file = z.strictObject({
      profiles: z.strictObject({ grafana: z.record(z.string(), z.int()) }),
      users: z.strictObject({ grafana: user }),
    })
    const { profiles, users } = file.parse(yaml('deploy/clickhouse/grafana.yaml'))
    expect(profiles.grafana['readonly']).toBe(2)
    expect(Object.keys(environmentOf('clickhouse'))).toContain(users.grafana.password['@from_env'])
  })
})

describeWithCompose('docker-compose', () => {
  test('is what it can read', async () => {
    const env = Object.fromEntries(
      [...read('deploy/example.env').matchAll(/^(\w+)=/gm)].map(([, name]) => [name ?? '', 'x']),
    )
    const { code, stderr } = await run('docker-compose', ['config', '--quiet'], { cwd: project, env })
    expect([code, stderr]).toEqual([0, ''])
  })
})

describeWithPromtool('the Prometheus of docker-compose.yml', () => {
  test('has a configuration that promtool accepts, and scrapes Tollwatch', async () => {
    const mounted = mountOf('prometheus', '/etc/prometheus/prometheus.yml') ?? ''
    expect(await checkConfig(join(project, mounted))).toBe('')
    expect(read(mounted)).toContain('targets: ["tollwatch:9464"]')
  })
})

describeWithKafka('the Kafka of docker-compose.yml', () => {
  test('has settings that a broker accepts', async () => {
    // The image turns KAFKA_NODE_ID into node.id, and so on.
    const settings = Object.entries(environmentOf('kafka')).flatMap(([key, value]) =>
      key.startsWith('KAFKA_') ? [[key.slice(6).toLowerCase().replaceAll('_', '.'), value] as const] : [],
    )
    expect(await checkServerProperties(Object.fromEntries(settings))).toBe('')
    expect(await checkServerProperties({ ...Object.fromEntries(settings), 'process.roles': 'toll' })).toContain(
      'process.roles',
    )
  })
})

describe('the Dockerfile', () => {
  const lines = read('Dockerfile').split('\n')

  test('copies only what is there, and runs as nobody special', () => {
    const copied = lines.flatMap((line) => /^COPY (?!--from)(.+) \S+$/.exec(line)?.[1]?.split(' ') ?? [])
    expect(copied.length).toBeGreaterThan(4)
    for (const path of copied) expect(existsSync(join(project, path)), path).toBe(true)
    expect(lines).toContain('USER node')
  })

  test('never takes .env or a built tree into the image', () => {
    const ignored = read('.dockerignore').split('\n')
    for (const path of ['.env', '.git', 'node_modules', 'dist', 'data']) expect(ignored).toContain(path)
  })
})
