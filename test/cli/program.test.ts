import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough, Writable } from 'node:stream'
import { afterEach, describe, expect, test } from 'vitest'
import { runProgram } from '../../src/cli/program.ts'
import { version } from '../../src/cli/version.ts'
import { describeWithChdb } from '../support/available.ts'
import { freePort, run, startChild, waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { builtMain, tollwatch as builtTollwatch, startTollwatch } from '../support/tollwatch.ts'

const home = process.cwd()
afterEach(() => process.chdir(home))

/** Runs a command line in this process. */
async function tollwatch(...argv: readonly string[]): Promise<{ code: number; out: string; err: string }> {
  const collector = () => {
    const parts: string[] = []
    const stream = new Writable({
      write(chunk, _, done) {
        parts.push(String(chunk))
        done()
      },
    })
    return { stream, text: () => parts.join('') }
  }
  const [out, err] = [collector(), collector()]
  const stdin = new PassThrough()
  stdin.end()
  const code = await runProgram(argv, { stdin, stdout: out.stream, stderr: err.stream })
  return { code, out: out.text(), err: err.text() }
}

/** The commands that a help text lists, without `help` itself. */
function commandsIn(help: string): readonly string[] {
  const list = /^Commands:\n([\s\S]*?)(?:\n\n|\n$|$(?![\s\S]))/m.exec(help)?.[1] ?? ''
  return [...list.matchAll(/^ {2}([a-z][a-z-]*)/gm)].map(([, name]) => name ?? '').filter((name) => name !== 'help')
}

describe('--help', () => {
  test('says of every command what it does and what it takes', async () => {
    const seen: string[] = []
    const waiting: string[][] = [[]]
    for (let command = waiting.shift(); command !== undefined; command = waiting.shift()) {
      const { code, out, err } = await tollwatch(...command, '--help')
      expect([command, code, err]).toEqual([command, 0, ''])
      const name = ['tollwatch', ...command].join('-')
      seen.push(command.join(' '))
      await expect(out).toMatchFileSnapshot(`../golden/cli/${name}.txt`)
      for (const inner of commandsIn(out)) waiting.push([...command, inner])
    }
    // The names of the contract.
    for (const name of [
      'run',
      'check-config',
      'decode',
      'replay',
      'history verify',
      'rules check',
      'rules test',
      'score',
    ]) {
      expect(seen).toContain(name)
    }
    for (const name of ['trends', 'summary', 'events', 'alerts', 'dead-letters'])
      expect(seen).toContain(`query ${name}`)
    for (const name of ['add', 'list', 'expire']) expect(seen).toContain(`silence ${name}`)
    expect(seen).toEqual(expect.arrayContaining(['explain', 'test-receiver']))
  })

  test('stands behind the version', async () => {
    expect(await tollwatch('--version')).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })
})

describe('A call that makes no sense', () => {
  test.each([
    [['fly'], "unknown command 'fly'"],
    [['run', '--fly'], "unknown option '--fly'"],
    [['run', '--format', 'morse'], 'Allowed choices are auto, apipark'],
    [['replay'], "missing required argument 'file'"],
    [['score'], "required option '--csv <file>' not specified"],
    [['query', 'summary', '--by', 'colour'], '--by colour is unknown; use tenant, api, cause'],
    [['query', 'summary', '--from', 'yesterday'], '--from yesterday is no time'],
    [['query', 'trends', '--step', '1s'], '--step 1s is no duration of 10s or more'],
    [['query', 'events', '--limit', '0'], '--limit 0 is no number from 1'],
  ])('ends with 2 and says why: %s', async (argv, message) => {
    process.chdir(tempDir('nonsense'))
    const { code, out, err } = await tollwatch(...argv)
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain(message)
  })

  test('names the data directory that holds no history', async () => {
    process.chdir(tempDir('nothing'))
    const { code, err } = await tollwatch('query', 'summary')
    expect(code).toBe(2)
    expect(err).toContain('there is no history in ./data/tollwatch: name its directory with --data')
  })
})

const broken = `sorce:
  kafka: on
source:
  kafka:
    topic: 7
    start: newest
    tls: {ca: ca.pem}
    sasl:
      mechanism: plain
      username: tollwatch
      password: correct-horse
window:
  lateness: soon
  series_limit: 5
history:
  clickhouse:
    url: clickhouse:8123
    password: \${PASSWORD_THAT_NOBODY_SET}
decode:
  format: morse
classify:
  rules:
    - when: {}
      cause: bad luck
http:
  listen: 0.0.0.0:8402
alerts:
  rules: shipped
telemetry: {log_level: loud}
`

describe('check-config', () => {
  test('tells every problem at once, with its line and its fix', async () => {
    process.chdir(tempDir('broken'))
    writeFileSync('tollwatch.yaml', broken)
    const { code, out, err } = await tollwatch('check-config')
    expect([code, out]).toEqual([2, ''])
    expect(err).not.toContain('correct-horse')
    await expect(err).toMatchFileSnapshot('../golden/cli/config-errors.txt')
  })

  test('looks into the rule files and routes that the settings name', async () => {
    process.chdir(tempDir('behind'))
    writeFileSync('tollwatch.yaml', 'alerts: {rules: [shipped, my.rules.yaml]}\nnotify: {file: notify.yaml}\n')
    writeFileSync(
      'my.rules.yaml',
      'version: 1\ngroups:\n  - name: mine\n    rules:\n      - rule: Mine\n        windw: 5m\n',
    )
    writeFileSync('notify.yaml', 'route:\n  receiver: nobody\n')
    const { code, err } = await tollwatch('check-config', '-c', 'tollwatch.yaml')
    expect(code).toBe(2)
    expect(err).toMatch(/my\.rules\.yaml:\d+: .*windw/)
    expect(err).toMatch(/notify\.yaml:2: route\.receiver there is no receiver "nobody"/)
  })

  test('says that all is well', async () => {
    process.chdir(tempDir('well'))
    expect(await tollwatch('check-config')).toEqual({
      code: 0,
      out: 'no tollwatch.yaml here, so the defaults: no problem\n',
      err: '',
    })
    writeFileSync('mine.yaml', 'http: {title: Tolls}\n')
    expect(await tollwatch('check-config', '-c', 'mine.yaml')).toEqual({
      code: 0,
      out: 'mine.yaml: no problem\n',
      err: '',
    })
  })
})

describe('run', () => {
  test('starts nothing with wrong settings', async () => {
    process.chdir(tempDir('run'))
    writeFileSync('tollwatch.yaml', broken)
    const { code, out, err } = await tollwatch('run')
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/\d+ problems\n$/)
  })

  test('leaves ./tollwatch.yaml alone in a demo, so that made-up traffic stays out of real history', async () => {
    process.chdir(tempDir('demo'))
    writeFileSync('tollwatch.yaml', broken)
    const { code, err } = await tollwatch('run', '--demo', '--http', 'nowhere')
    expect(code).toBe(2)
    expect(err).toMatch(/^command line: http\.listen .*\n1 problem\n$/)
  })
})

describeWithChdb('run --file', () => {
  test('starts from the folder of the command, and source.files.paths from that of the settings', async () => {
    const dir = tempDir('paths')
    const call = (tenant: string) =>
      `${JSON.stringify({ started_at: Date.now(), latencies: {}, response: { status: 200 }, consumer: { username: tenant } })}\n`
    mkdirSync(join(dir, 'conf'))
    writeFileSync(join(dir, 'access.log'), call('here'))
    writeFileSync(join(dir, 'conf', 'access.log'), call('beside-the-settings'))
    writeFileSync(
      join(dir, 'conf', 'tollwatch.yaml'),
      'source: {files: {paths: access.log}}\nhistory: {flush_interval: 200ms}\n',
    )
    const tenants = async (more: readonly string[]) => {
      const daemon = await startTollwatch({ dir, args: ['-c', 'conf/tollwatch.yaml', ...more] })
      const found = await waitFor('a record', async () => {
        const { rows } = await daemon.get<{ rows: { tenant: string }[] }>('/api/v1/summary?by=tenant')
        return rows.length > 0 ? rows.map(({ tenant }) => tenant) : null
      })
      await daemon.stop()
      return found
    }
    expect(await tenants(['--file', 'access.log', '--data', './one'])).toEqual(['here'])
    expect(await tenants(['--data', './two'])).toEqual(['beside-the-settings'])
  })
})

describeWithChdb('The standard input', () => {
  const call = (tenant: string) =>
    JSON.stringify({ started_at: Date.now(), latencies: {}, response: { status: 200 }, consumer: { username: tenant } })
  const counted = async (dir: string): Promise<unknown> => {
    const { stdout } = await builtTollwatch(['query', 'summary', '--by', 'tenant', '--json', '--data', './data'], {
      cwd: dir,
    })
    return JSON.parse(stdout).map(({ tenant, requests }: { tenant: string; requests: number }) => [tenant, requests])
  }

  test('is left alone by a command that keeps history while others feed it', async () => {
    const dir = tempDir('loop')
    writeFileSync(join(dir, 'access.log'), `${call('acme')}\n${call('acme')}\n`)
    // The engine adds what it finds at descriptor 0 to its INSERTs: these rows fit no table.
    const loop = `printf '[1]\\nnonsense\\n' | ${process.execPath} ${await builtMain()} replay access.log --data ./data`
    expect(await run('sh', ['-c', loop], { cwd: dir })).toMatchObject({ code: 0, stderr: '' })
    expect(await counted(dir)).toEqual([['acme', 2]])
  })

  test('is read to its end by run --stdin, from a pipe and from a file', async () => {
    for (const feed of ['cat access.log |', '< access.log']) {
      const dir = tempDir('stdin')
      writeFileSync(join(dir, 'access.log'), `${call('acme')}\n${call('blue-heron')}\n${call('acme')}`)
      const ports = `--http 127.0.0.1:${await freePort()} --metrics 127.0.0.1:${await freePort()}`
      const command = `${process.execPath} ${await builtMain()} run --stdin --data ./data ${ports}`
      const line = feed.endsWith('|') ? `${feed} ${command}` : `${command} ${feed}`
      const child = startChild('sh', ['-c', line], { cwd: dir })
      await waitFor('the daemon', () => child.output().includes('tollwatch is up'))
      await waitFor('the records', async () => JSON.stringify(await counted(dir)) === '[["acme",2],["blue-heron",1]]')
      // The shell in between hands no signal on.
      process.kill(JSON.parse(readFileSync(join(dir, 'data', 'daemon.json'), 'utf8')).pid, 'SIGTERM')
      expect(await child.exited).toMatchObject({ code: 0 })
    }
  })
})
