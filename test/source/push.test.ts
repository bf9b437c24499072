import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import type { RangeStore } from '../../src/history/history.ts'
import type { Range } from '../../src/history/range.ts'
import type { StateEntry, StateStore } from '../../src/history/state.ts'
import { Pipeline } from '../../src/pipeline.ts'
import { PushSource } from '../../src/source/push.ts'
import { ManualClock } from '../../src/time/clock.ts'
import { Lifetime } from '../../src/window/lifetime.ts'
import { standardOptions } from '../pipeline/fake-world.ts'
import { tempDir } from '../support/run-context.ts'

/** What every step on the disk is shown to; throwing makes the step fail. */
const disk = vi.hoisted(() => ({ before: (_step: string): void => {}, after: (_step: string): void => {} }))

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>()
  const watch = async <Value>(step: string, act: () => Promise<Value>): Promise<Value> => {
    disk.before(step)
    const value = await act()
    disk.after(step)
    return value
  }
  const watched = (file: FileHandle): FileHandle =>
    new Proxy(file, {
      get(target, name) {
        const value = Reflect.get(target, name, target)
        if (typeof value !== 'function') return value
        const act = (...args: unknown[]) => Reflect.apply(value, target, args)
        switch (name) {
          case 'write':
          case 'truncate':
            return (...args: unknown[]) => watch(name, async () => act(...args))
          case 'datasync':
          case 'sync':
            // A killed process loses nothing that was written; only a power cut does.
            return () => watch(name, async () => undefined)
          default:
            return act
        }
      },
    })
  const open: typeof real.open = (path, flags) =>
    watch(`open ${flags}`, async () => watched(await real.open(path, flags)))
  return { ...real, open, rm: (...args: Parameters<typeof real.rm>) => watch('rm', () => real.rm(...args)) }
})

const soon = { interval: 1, timeout: 20_000 }
const noon = Date.UTC(2026, 4, 1, 12)

/** A clock that knows when somebody waits for it again. */
class WatchedClock extends ManualClock {
  sleeps = 0

  override sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleeps++
    return super.sleep(ms, signal)
  }
}

/** What a process leaves in the store when it dies: ranges by their token, and the state. */
class Store implements RangeStore, StateStore {
  readonly ranges: Map<string, Range>
  readonly entries: Map<string, string>
  onStep: () => void = () => {}
  /** Lands only while it is open. */
  gate: Promise<void> = Promise.resolve()

  constructor(ranges: ReadonlyMap<string, Range> = new Map(), entries: ReadonlyMap<string, string> = new Map()) {
    this.ranges = new Map(ranges)
    this.entries = new Map(entries)
  }

  readonly state: StateStore = this

  async land(range: Range): Promise<void> {
    await this.gate
    // As slow as some steps on the disk.
    for (let i = 0; i < 20; i++) await setImmediate()
    this.onStep()
    this.ranges.set(`${range.source} ${range.lo} ${range.hi}`, range)
    this.onStep()
  }

  async position(source: string): Promise<number | null> {
    const ends = this.#of(source).map(({ hi }) => hi + 1)
    return ends.length === 0 ? null : Math.max(...ends)
  }

  async holds({ source, lo, hi }: { source: string; lo: number; hi: number }): Promise<boolean> {
    return this.ranges.has(`${source} ${lo} ${hi}`)
  }

  async windowRows(): Promise<readonly never[]> {
    return []
  }

  async put(entries: readonly StateEntry[]): Promise<void> {
    for (const { kind, key, value } of entries) {
      if (value === null) this.entries.delete(`${kind} ${key}`)
      else this.entries.set(`${kind} ${key}`, value)
    }
    this.onStep()
  }

  async load(kind: string): Promise<ReadonlyMap<string, string>> {
    const own = [...this.entries].filter(([key]) => key.startsWith(`${kind} `))
    return new Map(own.map(([key, value]) => [key.slice(kind.length + 1), value]))
  }

  /** How often each pushed line was counted. */
  counts(): Map<string, number> {
    const counts = new Map<string, number>()
    for (const row of [...this.ranges.values()].flatMap(({ rollups }) => rollups)) {
      counts.set(row.tenant, (counts.get(row.tenant) ?? 0) + row.requests)
    }
    return counts
  }

  /** Offsets of a lane that are in no range, or in more than one. */
  flaws(): string[] {
    return [...new Set([...this.ranges.values()].map(({ source }) => source))].flatMap((source) => {
      const ranges = this.#of(source).sort((a, b) => a.lo - b.lo)
      return ranges.flatMap(({ lo, gap }, i) => {
        const expected = (ranges[i - 1]?.hi ?? -1) + 1
        return lo === expected && !gap ? [] : [`${source}: ${lo} follows ${expected - 1}`]
      })
    })
  }

  #of(source: string): Range[] {
    return [...this.ranges.values()].filter((range) => range.source === source)
  }
}

/** One life of the daemon, as far as pushes are concerned. */
class Life {
  readonly clock = new WatchedClock(noon)
  readonly pipeline: Pipeline
  readonly source: PushSource
  readonly directory: string
  readonly store: Store

  constructor(directory: string, store: Store, backlogBytes?: number) {
    const { clock } = this
    this.directory = directory
    this.store = store
    this.pipeline = new Pipeline({
      ...{ ...standardOptions, flushIntervalMs: 0, lifetime: new Lifetime(100) },
      ...{ history: store, clock },
    })
    this.source = new PushSource({
      ...{ directory, keepBytes: 1_000, clock, log: silentLog },
      ...(backlogBytes === undefined ? {} : { backlogBytes }),
    })
  }

  start(): Promise<void> {
    return this.source.start(() => this.pipeline.consumer())
  }

  /** Each word is a line; who is asked later must find it once. */
  push(words: string, format = 'kong'): Promise<void> {
    const lines = words.split(' ').map((tenant) => JSON.stringify({ t: noon, tenant, api: 'chat' }))
    return this.source.push(format, Buffer.from(lines.join('\n')))
  }

  /** Lets so many seconds pass, and waits each time until the spool has been tidied. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds; i++) {
      const { sleeps } = this.clock
      await this.clock.advance(1_000)
      await vi.waitFor(() => expect(this.clock.sleeps).toBeGreaterThan(sleeps), soon)
    }
  }

  /** Everything that was pushed so far is read and in history. */
  async landed(...words: string[]): Promise<void> {
    await vi.waitFor(() => {
      this.pipeline.tick()
      expect([...this.store.counts().keys()]).toEqual(expect.arrayContaining(words))
      expect(this.pipeline.oldestUnwrittenMs).toBe(null)
    }, soon)
  }

  /** SIGTERM. */
  async end(): Promise<void> {
    await this.source.stop()
    await this.pipeline.drain()
    await this.source.close()
  }

  /** Every byte in the spool, and how many files hold any. */
  spool(): { text: string; files: number } {
    const data = readdirSync(this.directory).filter((name) => name.endsWith('.ndjson'))
    const texts = data.map((name) => readFileSync(join(this.directory, name), 'utf8'))
    return { text: texts.join(''), files: data.length }
  }
}

let life: Life
beforeEach(async () => {
  life = new Life(join(tempDir('spool'), 'spool'), new Store())
  await life.start()
})
afterEach(async () => {
  stopWatching()
  life.store.onStep = () => {}
  await life.end()
})

describe('PushSource', () => {
  test('hands on every push once and in order, each layout in a lane of its own', async () => {
    await Promise.all([life.push('a b'), life.push('c'), life.push('d', 'envoy')])
    await life.landed('a', 'b', 'c', 'd')
    await life.end()
    expect(life.store.counts()).toEqual(new Map(['a', 'b', 'c', 'd'].map((word) => [word, 1])))
    expect([...life.store.ranges.values()].map(({ source }) => source.replace(/\w+$/, ''))).toEqual([
      'push:kong:',
      'push:envoy:',
    ])
  })

  test('takes what is in history off the disk within seconds, also while more comes', async () => {
    await life.push('first')
    await life.landed('first')
    expect(life.spool().text).toContain('first')
    await life.pass(9)
    await life.push('second')
    await life.landed('second')
    expect(life.spool().text).toContain('first')
    await life.pass(1)
    expect(life.spool()).toEqual({ text: '', files: 1 })
    await life.push('third')
    await life.landed('third')
    await life.pass(10)
    expect(life.spool().text).toBe('')
    expect([...life.store.counts()]).toEqual([
      ['first', 1],
      ['second', 1],
      ['third', 1],
    ])
    // All of it in one lane, without a gap: nothing had to be set up anew.
    expect(life.store.flaws()).toEqual([])
    expect(new Set([...life.store.ranges.values()].map(({ source }) => source)).size).toBe(1)
  })

  test('keeps what history has not taken, in two files however long it takes, and goes on counting it', async () => {
    let open = (): void => {}
    life.store.gate = new Promise((resolve) => {
      open = resolve
    })
    const words = Array.from({ length: 40 }, (_, i) => `w${i}`)
    for (const word of words) {
      await life.push(word)
      await life.pass(1)
      life.pipeline.tick()
    }
    expect(life.spool().files).toBe(2)
    for (const word of words) expect(life.spool().text).toContain(`"${word}"`)
    const counted = () => life.pipeline.view?.totals(noon - 60_000, noon + 60_000)
    await vi.waitFor(() => expect(counted()).toHaveLength(words.length), soon)
    open()
    await life.landed(...words)
    await life.pass(12)
    expect(life.spool()).toEqual({ text: '', files: 1 })
    expect([...life.store.counts().values()]).toEqual(words.map(() => 1))
  })

  test('leaves nothing on the disk that is in history when it ends, and no trace of the lane after the next start', async () => {
    await life.push('a')
    await life.landed('a')
    await life.end()
    expect(life.spool()).toEqual({ text: '', files: 1 })
    const next = new Life(life.directory, life.store)
    await next.start()
    await vi.waitFor(() => expect(readdirSync(life.directory)).toEqual([]), soon)
    await next.end()
    expect(life.store.counts()).toEqual(new Map([['a', 1]]))
    expect(life.store.entries.size).toBe(0)
  })

  test('refuses pushes while too much waits for history, over all layouts', async () => {
    const tight = new Life(join(tempDir('spool'), 'spool'), new Store(), 100)
    onTestFinished(() => tight.end())
    await tight.start()
    let open = (): void => {}
    tight.store.gate = new Promise((resolve) => {
      open = resolve
    })
    await tight.push('a b')
    await tight.push('c', 'envoy')
    await expect(tight.push('d')).rejects.toMatchObject({ code: 'store-busy', retryable: true })
    open()
    await tight.landed('a', 'b', 'c')
    await tight.push('d')
    await tight.landed('d')
  })

  test.each([
    ['has more than was acknowledged', 0, '{"t":1,"tenant":"torn and never promi'],
    ['has lost what it had acknowledged', 50, ''],
  ])('reads on in a spool of version 0.1 that %s', async (_, missing, more) => {
    const directory = join(tempDir('spool'), 'spool')
    mkdirSync(directory)
    const line = `${JSON.stringify({ t: noon, tenant: 'acknowledged', api: 'chat' })}\n`
    writeFileSync(join(directory, 'kong.abc.ndjson'), line + more)
    const mark = Buffer.alloc(8)
    mark.writeBigUInt64BE(BigInt(line.length + missing))
    writeFileSync(join(directory, 'kong.abc.ndjson.commit'), mark)
    const upgraded = new Life(directory, new Store())
    onTestFinished(() => upgraded.end())
    await upgraded.start()
    await vi.waitFor(() => expect(readdirSync(directory)).toEqual([]), soon)
    expect(upgraded.store.counts()).toEqual(new Map([['acknowledged', 1]]))
    expect([...upgraded.store.ranges.values()].flatMap(({ deadLetters }) => deadLetters)).toEqual([])
  })

  test('is not confused by a push that could not be written', async () => {
    await life.push('before')
    let failures = 0
    disk.before = (step) => {
      if (step !== 'datasync' || failures++ > 0) return
      throw new Error('no space left on device')
    }
    await expect(life.push('the-one-that-failed-and-is-rather-long')).rejects.toThrow('no space left')
    await life.push('after')
    await life.landed('before', 'after')
    expect(life.store.counts()).toEqual(
      new Map([
        ['before', 1],
        ['after', 1],
      ]),
    )
    expect([...life.store.ranges.values()].flatMap(({ deadLetters }) => deadLetters)).toEqual([])
  })
})

/** What is left of a process that was killed. */
interface Remains {
  readonly step: string
  readonly files: ReadonlyMap<string, Buffer>
  readonly store: Store
  readonly acknowledged: ReadonlySet<string>
}

/** Takes what would be left if the process died at any of its steps, on the disk and in the store. */
function remainsOf(life: Life, acknowledged: ReadonlySet<string>): Remains[] {
  const remains: Remains[] = []
  const die = (step: string): void => {
    const files = filesIn(life.directory)
    const store = new Store(life.store.ranges, life.store.entries)
    remains.push({ step, files, store, acknowledged: new Set(acknowledged) })
  }
  disk.before = (step) => die(`before ${step}`)
  disk.after = (step) => die(`after ${step}`)
  life.store.onStep = () => die('in the store')
  return remains
}

function filesIn(directory: string): ReadonlyMap<string, Buffer> {
  return new Map(
    readdirSync(directory).flatMap((name) => {
      try {
        return [[name, readFileSync(join(directory, name))] as const]
      } catch {
        // Another lane is just taking it away.
        return []
      }
    }),
  )
}

/** A process that starts again on what is left. */
function heirOf({ files, store }: Remains): Life {
  const directory = tempDir('remains')
  for (const [name, bytes] of files) writeFileSync(join(directory, name), bytes)
  return new Life(directory, store)
}

/** Lets it run until the spool is empty. */
async function settle(life: Life): Promise<void> {
  await life.start()
  await vi.waitFor(() => expect(readdirSync(life.directory)).toEqual([]), soon)
  await life.source.stop()
}

function stopWatching(): void {
  disk.before = () => {}
  disk.after = () => {}
}

function audit({ step, acknowledged }: Remains, { store }: Life): string[] {
  const counts = store.counts()
  return [
    ...[...acknowledged].filter((word) => counts.get(word) !== 1).map((word) => `${step}: ${word} ${counts.get(word)}`),
    ...[...counts].filter(([, count]) => count !== 1).map(([word, count]) => `${step}: ${word} ${count}`),
    ...store.flaws().map((flaw) => `${step}: ${flaw}`),
    ...[...store.entries.keys()].map((entry) => `${step}: ${entry} is left`),
  ]
}

/** Pushes of two layouts that come, land, grow old and go, in every order. */
async function busyLife(life: Life, acknowledged: Set<string>): Promise<void> {
  const push = async (words: string, format?: string): Promise<void> => {
    await life.push(words, format)
    for (const word of words.split(' ')) acknowledged.add(word)
  }
  await push('a b')
  await push('c', 'envoy')
  await life.landed('a', 'b')
  await push('d')
  // Old, and not all of it in history: a second file begins before the first can go.
  await life.pass(10)
  await push('e')
  // One range over both files.
  await life.landed('d', 'e')
  await life.pass(1)
  await push('f')
  await life.landed('f')
  // Old, and all of it in history.
  await life.pass(10)
  await push('g')
}

describe('A push that was acknowledged', () => {
  test('is in history once, whichever step the daemon is killed at', { timeout: 60_000 }, async () => {
    const acknowledged = new Set<string>()
    const remains = remainsOf(life, acknowledged)
    await busyLife(life, acknowledged)
    stopWatching()
    expect(remains.length).toBeGreaterThan(100)
    expect(remains.filter(({ step }) => step === 'after rm').length).toBeGreaterThan(3)
    const found: string[] = []
    for (const one of remains) {
      const heir = heirOf(one)
      await settle(heir)
      found.push(...audit(one, heir))
    }
    expect(found).toEqual([])
  })

  test('is in history once, also when the start that mends it is killed', { timeout: 60_000 }, async () => {
    const acknowledged = new Set<string>()
    const first = remainsOf(life, acknowledged)
    await busyLife(life, acknowledged)
    stopWatching()
    const found: string[] = []
    let killed = 0
    for (const one of first.filter((_, i) => i % 12 === 0)) {
      const heir = heirOf(one)
      const second = remainsOf(heir, one.acknowledged)
      await settle(heir)
      stopWatching()
      for (const other of second.filter((_, i) => i % 5 === 0)) {
        killed++
        const last = heirOf(other)
        await settle(last)
        found.push(...audit(other, last))
      }
    }
    expect(killed).toBeGreaterThan(40)
    expect(found).toEqual([])
  })
})
