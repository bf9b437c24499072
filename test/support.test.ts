import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClient } from '@clickhouse/client'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import {
  describeWithChdb,
  describeWithChromium,
  describeWithKafka,
  describeWithPrometheus,
  describeWithPromtool,
} from './support/available.ts'
import { startChromium } from './support/chromium.ts'
import { type ClickHouse, startClickHouse } from './support/clickhouse-http.ts'
import { severalStatements } from './support/clickhouse-protocol.ts'
import { committed, createTopic, produce, sharedKafka, startKafka, topicName } from './support/kafka.ts'
import { freePort, run, startChild, waitFor } from './support/process.ts'
import { startPrometheus } from './support/prometheus.ts'
import { checkConfig, checkMetrics, checkRules } from './support/promtool.ts'
import { tempDir } from './support/run-context.ts'
import { startTollwatch } from './support/tollwatch.ts'

const project = fileURLToPath(new URL('..', import.meta.url))
const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

describe('processes', () => {
  test('tell how they ended and what they said', async () => {
    const ended = await run('sh', ['-c', 'cat; echo trouble >&2; exit 3'], { input: 'hello' })
    expect(ended).toEqual({ code: 3, signal: null, stdout: 'hello', stderr: 'trouble\n' })
  })

  test('die with the process that started them, even when that is killed', async () => {
    const parent = join(tempDir('guardian'), 'parent.ts')
    const support = JSON.stringify(join(project, 'test/support/process.ts'))
    writeFileSync(parent, `import { startChild } from ${support}\nconsole.log(startChild('sleep', ['300']).pid)\n`)
    const child = startChild(process.execPath, ['--import', 'tsx', parent], { cwd: project })
    const pid = Number(await waitFor('the pid', () => child.stdout().trim() || false))
    expect(isAlive(pid)).toBe(true)
    await child.kill()
    await waitFor('the grandchild to die', () => !isAlive(pid), { timeoutMs: 5_000 })
  })

  test('are waited for with the reason of the last failure', async () => {
    const never = waitFor('a miracle', () => Promise.reject(new Error('not today')), { timeoutMs: 20, everyMs: 5 })
    await expect(never).rejects.toMatchObject({ message: /a miracle after 20 ms/, cause: { message: 'not today' } })
  })
})

describeWithKafka('a Kafka broker', () => {
  test('takes values and remembers commits', async () => {
    const brokers = await sharedKafka()
    const topic = topicName('support')
    await createTopic(brokers, topic, 2)
    await produce(brokers, topic, ['one', null, new Uint8Array([0xff])], { partition: 1 })
    expect(await committed(brokers, topicName('group'), topic)).toEqual([
      { partition: 0, offset: -1, metadata: null },
      { partition: 1, offset: -1, metadata: null },
    ])
  })

  test.skipIf(process.env['KAFKA_BROKERS'] !== undefined)(
    'can be killed and comes back with its topics',
    async () => {
      const kafka = await startKafka()
      onTestFinished(() => kafka.stop())
      await createTopic(kafka.brokers, 'kept', 1)
      await kafka.kill()
      await expect(produce(kafka.brokers, 'kept', ['lost'])).rejects.toThrow()
      await kafka.restart()
      await produce(kafka.brokers, 'kept', ['found'])
    },
    90_000,
  )
})

describeWithChdb('the ClickHouse front', () => {
  let server: ClickHouse
  const client = (password: string) =>
    createClient({ url: server.url, username: server.user, password, log: { level: 127 } })
  beforeAll(async () => {
    server = await startClickHouse({ user: 'tester', password: 'sesame' })
    await server.query('CREATE DATABASE d')
    await server.query(`CREATE TABLE d.t (a Int64, b String) ENGINE = MergeTree ORDER BY a
      SETTINGS non_replicated_deduplication_window = 100`)
  })
  afterAll(() => server?.stop())

  test('keeps the settings of a request to that request', async () => {
    const ch = client('sesame')
    const insert = (token: string) =>
      ch.insert({
        table: 'd.t',
        values: [{ a: 1, b: "it's;\t\\" }],
        format: 'JSONEachRow',
        clickhouse_settings: { insert_deduplication_token: token, async_insert: 0 },
      })
    await insert('first')
    await insert('first')
    await insert('second')
    const read = await ch.query({
      query: 'SELECT b, {p:String} AS p, {l:Array(String)} AS l, count() AS n FROM d.t GROUP BY b',
      query_params: { p: "q'\n\\t", l: ["a'b", 'c'] },
      format: 'JSONEachRow',
    })
    expect(await read.json()).toEqual([{ b: "it's;\t\\", p: "q'\n\\t", l: ["a'b", 'c'], n: 2 }])
    await ch.close()
  })

  test('refuses as a server does', async () => {
    const ch = client('sesame')
    const refused = (query: string) => expect(ch.query({ query })).rejects
    await refused('SELECT nothing').toMatchObject({ code: '47', type: 'UNKNOWN_IDENTIFIER' })
    await refused('SELECT 1; SELECT 2').toMatchObject({ code: '62', type: 'SYNTAX_ERROR' })
    await refused('SELECT * FROM d.nowhere').toMatchObject({ code: '60' })
    await expect(client('wrong').query({ query: 'SELECT 1' })).rejects.toMatchObject({ code: '516' })
    await ch.close()
  })

  test('can do an insert and hang up, so that nobody knows', async () => {
    await server.query("INSERT INTO d.t VALUES (7, 'known')")
    await server.fail({ mode: 'cut-after', match: 'INSERT INTO' })
    await expect(server.query("INSERT INTO d.t VALUES (7, 'unknown')")).rejects.toThrow()
    expect(await server.query('SELECT count() FROM d.t WHERE a = 7')).toBe('2\n')
    await server.fail({ mode: 'error', code: 252 })
    await expect(server.query('SELECT 1')).rejects.toThrow('Code: 252')
    expect(await server.query('SELECT 1')).toBe('1\n')
  })

  test('comes back with its rows after SIGKILL', async () => {
    await server.query("INSERT INTO d.t VALUES (8, 'kept')")
    await server.kill()
    await expect(server.query('SELECT 1')).rejects.toThrow()
    await server.restart()
    expect(await server.query('SELECT count() FROM d.t WHERE a = 8')).toBe('1\n')
  })
})

test.each([
  ['SELECT 1', null],
  ["SELECT ';' -- a; b\n /* ; */ ;", null],
  ['SELECT `a;b`, "c;d" FROM t;', null],
  ["INSERT INTO t VALUES (';'); SELECT", null],
  ['SELECT 1; DROP TABLE t', 'DROP TABLE t'],
])('of %j what follows the first statement is %j', (sql, rest) => {
  expect(severalStatements(sql)).toBe(rest)
})

describeWithPrometheus('a Prometheus server', () => {
  test('scrapes a page and answers PromQL', async () => {
    const page = createServer((_, response) => response.end('# TYPE tolls_total counter\ntolls_total{lane="3"} 42\n'))
    const port = await freePort()
    page.listen(port, '127.0.0.1')
    onTestFinished(() => void page.close())
    const prometheus = await startPrometheus([`127.0.0.1:${port}`])
    onTestFinished(() => prometheus.stop())
    await prometheus.scraped()
    expect(await prometheus.query('sum by (lane) (tolls_total) * 2')).toEqual([{ labels: { lane: '3' }, value: 84 }])
    expect(await prometheus.query('nothing_at_all')).toEqual([])
    await expect(prometheus.query('sum(')).rejects.toThrow('parse error')
  })
})

describeWithPromtool('promtool', () => {
  test('says what is wrong with metrics, rules and configurations', async () => {
    expect(await checkMetrics('# HELP a_total A.\n# TYPE a_total counter\na_total 1\n')).toBe('')
    expect(await checkMetrics('# TYPE a counter\na 1\n')).toContain('counter metrics should have "_total" suffix')
    const rules = (expr: string) => `groups: [{name: g, rules: [{record: r, expr: '${expr}'}]}]`
    expect(await checkRules(rules('sum(a)'))).toBe('')
    expect(await checkRules(rules('sum(a'))).toContain('could not parse expression')
    const config = join(tempDir('promtool'), 'prometheus.yml')
    writeFileSync(config, 'scrape_configs: [{job: x}]')
    expect(await checkConfig(config)).toContain('field job not found')
  })
})

describeWithChromium('Chromium', () => {
  test('opens a page of the loopback address and nothing beyond', async () => {
    const html =
      '<title>toll</title><script>fetch("http://example.com/").catch(() => { document.title += " alone" })</script>'
    const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(html))
    const port = await freePort()
    server.listen(port, '127.0.0.1')
    onTestFinished(() => void server.close())
    const browser = await startChromium()
    onTestFinished(() => browser.close())
    const page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${port}/`)
    // A text is run in the page; a function would need the browser's types here.
    await page.waitForFunction('document.title === "toll alone"')
  })
})

describe('the daemon under test', () => {
  test('is started, waited for, asked and stopped', async () => {
    // Stands in for dist/main.js: it is ready at the third question, and drains on SIGTERM.
    const main = join(tempDir('fake'), 'main.mjs')
    writeFileSync(
      main,
      `import { createServer } from 'node:http'
      const [host, port] = process.argv[process.argv.indexOf('--http') + 1].split(':')
      let asked = 0
      createServer((request, response) => {
        if (request.url === '/readyz') return response.writeHead(++asked < 3 ? 503 : 200).end('{}')
        response.end(JSON.stringify({ arguments: process.argv.slice(2), cwd: process.cwd() }))
      }).listen(Number(port), host)
      process.once('SIGTERM', () => { console.log('drained'); process.exit(0) })`,
    )
    process.env['TOLLWATCH_DIST'] = main
    onTestFinished(() => void delete process.env['TOLLWATCH_DIST'])
    const daemon = await startTollwatch({ args: ['--demo'], config: 'http: {}\n' })
    expect(await daemon.get('/api')).toMatchObject({
      arguments: [
        'run',
        '-c',
        join(daemon.dir, 'tollwatch.yaml'),
        '--demo',
        '--http',
        daemon.url.slice(7),
        '--metrics',
        expect.any(String),
      ],
      cwd: daemon.dir,
    })
    expect(await daemon.stop()).toEqual({ code: 0, signal: null })
    expect(daemon.logs()).toBe('drained\n')
    writeFileSync(main, 'console.error("wrong config"); process.exit(2)')
    await expect(startTollwatch()).rejects.toThrow(/ended:\nwrong config/)
  })
})
