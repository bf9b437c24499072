import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { loadConfig, loadDefaults, type Overrides } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { formatProblem } from '../../src/file/yaml-file.ts'
import { tempDir } from '../support/run-context.ts'

const folder = tempDir('config')
const home = process.cwd()
afterEach(() => process.chdir(home))

function load(text: string, options: { overrides?: Overrides; environment?: Record<string, string> } = {}) {
  const file = join(folder, 'tollwatch.yaml')
  writeFileSync(file, text)
  return loadConfig(file, options.overrides ?? {}, options.environment ?? {})
}

/** What is wrong, one line each, without the folder. */
function problems(text: string, options: Parameters<typeof load>[1] = {}): readonly string[] {
  const loaded = load(text, options)
  return loaded.ok ? [] : loaded.problems.map((problem) => formatProblem(problem).replace(`${folder}/`, ''))
}

describe('Settings', () => {
  test('are the defaults for an empty file', () => {
    const loaded = load('# nothing\n')
    expect(loaded).toMatchObject({ ok: true, config: configSchema.parse({}), folder })
  })

  test('are the defaults where there is no file', () => {
    process.chdir(tempDir('empty'))
    expect(loadConfig(null, {}, {})).toMatchObject({ ok: true, file: null, config: configSchema.parse({}) })
  })

  test('come from ./tollwatch.yaml when no file is named', () => {
    const here = tempDir('standard')
    writeFileSync(join(here, 'tollwatch.yaml'), 'http: {title: Tolls}\n')
    process.chdir(here)
    expect(loadConfig(null, {}, {})).toMatchObject({
      ok: true,
      file: 'tollwatch.yaml',
      config: { http: { title: 'Tolls' } },
    })
  })

  test('of the demo never come from ./tollwatch.yaml', () => {
    const here = tempDir('demo')
    writeFileSync(join(here, 'tollwatch.yaml'), 'history: {clickhouse: {url: "http://clickhouse:8123"}}\n')
    process.chdir(here)
    const loaded = loadDefaults({ history: { data_dir: './data/demo' } })
    expect(loaded).toMatchObject({ ok: true, file: null, config: { history: { data_dir: './data/demo' } } })
    expect(loaded.ok && loaded.config.history.clickhouse).toBeUndefined()
  })

  test('of the command line win, and leave their neighbours alone', () => {
    const overrides = { source: { kafka: { topic: 'two' } }, http: { listen: '127.0.0.1:1' } }
    const loaded = load('source: {kafka: {brokers: "k:1", topic: one, group: g}}\nhttp: {title: T}\n', { overrides })
    expect(loaded).toMatchObject({
      ok: true,
      config: { source: { kafka: { topic: ['two'], group: 'g' } }, http: { listen: '127.0.0.1:1', title: 'T' } },
    })
  })

  test('take texts from the environment, also in the middle', () => {
    const environment = { HOST: 'db', PASSWORD: 'p$w${HOST}' }
    const loaded = load(
      'history: {clickhouse: {url: "http://${HOST}:8123", password: "${PASSWORD}"}}\nhttp: {allowed_hosts: ["${HOST}"]}\n',
      { environment },
    )
    expect(loaded).toMatchObject({
      ok: true,
      // What a variable holds is not looked through again.
      config: {
        history: { clickhouse: { url: 'http://db:8123', password: 'p$w${HOST}' } },
        http: { allowed_hosts: ['db'] },
      },
    })
  })
})

describe('A problem', () => {
  test('with an unknown key names the line of the key and what to do', () => {
    const fix = 'Fix: correct its spelling or remove it; tollwatch.example.yaml lists every setting.'
    expect(problems('http:\n  title: T\n  titel: T\n\nwindows:\n  lateness: 1m\n')).toEqual([
      `tollwatch.yaml:3: http.titel there is no setting "titel". ${fix}`,
      `tollwatch.yaml:5: windows there is no setting "windows". ${fix}`,
    ])
  })

  test('with a variable that is not set, or empty, is told once', () => {
    const environment = { EMPTY: '' }
    expect(problems('http:\n  listen: 0.0.0.0:1\n  token: ${NOT_SET}\n  title: ${EMPTY}\n', { environment })).toEqual([
      'tollwatch.yaml:3: http.token the environment variable NOT_SET is not set. Fix: set NOT_SET for the daemon, or change the line.',
      'tollwatch.yaml:4: http.title the environment variable EMPTY is not set. Fix: set EMPTY for the daemon, or change the line.',
    ])
  })

  test.each([
    [
      'source: {kafka: {brokers: k, topic: t, sasl: {mechanism: plain, username: u, password: s3cret-in-clear}}}',
      'source.kafka.sasl.password',
    ],
    ['history: {clickhouse: {url: "http://c:1", password: s3cret-in-clear}}', 'history.clickhouse.password'],
    ['http: {token: s3cret-in-clear-and-long}', 'http.token'],
    ['http: {token: "${A}s3cret-in-clear-and-long"}', 'http.token'],
  ])('with a secret in the clear does not repeat it: %s', (text, path) => {
    const [problem, ...others] = problems(text, { environment: { A: 'a' } })
    expect(problem).toMatch(`tollwatch.yaml:1: ${path} holds a secret in the clear. Fix: write`)
    expect(problem).toContain('${ENV_VAR}')
    expect(problem).not.toContain('s3cret')
    expect(others).toEqual([])
  })

  test.each([
    ['source: {kafka: {topic: t}}', 'source.kafka.brokers is missing'],
    ['source: {kafka: {brokers: 7, topic: t}}', 'source.kafka.brokers must be text or a list'],
    ['source: {kafka: {brokers: "a,,b", topic: t}}', 'source.kafka.brokers name at least one broker as host:port'],
    ['source: {kafka: {brokers: k, topic: t, tls: {ca: f}}}', 'source.kafka.tls.ca there is no setting "ca"'],
    [
      'source: {kafka: {brokers: k, topic: t, start: now}}',
      'source.kafka.start is not known. Fix: use one of earliest, latest',
    ],
    ['source: {files: {paths: [a], follow: 1}}', 'source.files.follow must be true or false'],
    ['window: {series_limit: 5}', 'window.series_limit must be 100 or more'],
    ['window: {series_limit: 1500.5}', 'window.series_limit must be a whole number'],
    ['window: {series_limit: many}', 'window.series_limit must be a number'],
    ['window: {lateness: soon}', 'window.lateness "soon" is no duration'],
    ['window: {lateness: 30}', 'window.lateness must be text'],
    ['http: {title: ""}', 'http.title is empty'],
    ['http: {ingest_limit_mib: 4096}', 'http.ingest_limit_mib must be 1024 or less'],
    ['http: {listen: "0.0.0.0:8402"}', 'http.listen 0.0.0.0:8402 can be reached from other machines; set token'],
    ['telemetry: {listen: "9464"}', 'telemetry.listen is no listen address'],
    ['history: {clickhouse: {url: "clickhouse:8123"}}', 'history.clickhouse.url is no http or https address'],
    ['decode: {format: custom}', 'decode.custom format custom needs a `custom` mapping'],
    ['decode: {paths: {rules: [v1/files]}}', 'decode.paths.rules[0] must begin with /'],
    ['classify: {rules: [{when: {}, cause: unknown}]}', 'classify.rules[0].when needs at least one condition'],
    ['alerts: {rules: shipped}', 'alerts.rules must be a list'],
    ['notify: [a]', 'notify must be a group of settings'],
    ['- a', 'tollwatch.yaml:1: must be a group of settings'],
    ['just text', 'tollwatch.yaml:1: must be a group of settings'],
    ['a: [1', 'is no valid YAML'],
  ])('is found in %s', (text, message) => {
    const found = problems(text)
    expect(found.join('\n')).toContain(message)
    for (const line of found) expect(line).toMatch(/^tollwatch\.yaml:1: .+\. Fix: .+\.$/)
  })

  test('does not vanish under flags of the command line', () => {
    expect(problems('- a', { overrides: { http: { title: 'T' } } })).toHaveLength(1)
  })

  test('of the command line says so', () => {
    process.chdir(tempDir('flags'))
    const loaded = loadConfig(null, { source: { kafka: { brokers: 'k:1' } } }, {})
    expect(loaded.ok ? [] : loaded.problems.map(formatProblem)).toEqual([
      'command line: source.kafka.topic is missing. Fix: add it; tollwatch.example.yaml shows how.',
    ])
  })

  test('is a file that cannot be read', () => {
    mkdirSync(join(folder, 'directory'), { recursive: true })
    for (const name of ['missing.yaml', 'directory']) {
      const loaded = loadConfig(join(folder, name), {}, {})
      expect(loaded.ok ? [] : loaded.problems.map(formatProblem)).toEqual([
        expect.stringMatching(/cannot be read \(E\w+: .*\)\. Fix: check the path after -c and who may read it\.$/),
      ])
    }
  })
})
