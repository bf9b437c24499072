import { createReadStream } from 'node:fs'
import { createInterface } from 'node:readline'
import { DuckDBInstance } from '@duckdb/node-api'
import { query } from 'chdb'
import { silentLog } from '../src/fault/log.ts'
import { FileSource } from '../src/source/file.ts'
import { systemClock } from '../src/time/clock.ts'
import { Lifetime } from '../src/window/lifetime.ts'
import { Arrivals, buildPipeline, config, NoHistory } from './daemon.ts'
import { collectYoung, startCost } from './measure.ts'
import { NaiveCounter, type Tally } from './naive.ts'
import { serve } from './own-process.ts'
import type { Orders, PeerDeeds, PeerName } from './peer-process.ts'
import { clickhouseCounts, clickhouseSettings, duckdbCounts, summed } from './peer-sql.ts'
import { refusals, type Shape } from './records.ts'

/* One of those who count the same file, in a process of its own. */

/** Requests by `tenant api`, and refusals by `tenant api cause`. */
export type Counts = Readonly<Record<string, number>>

interface Peer {
  /** Everything that was counted, for comparison; not measured. */
  counts(): Promise<Counts>
  /** The work that is measured. */
  run(): Promise<Tally>
}

type Maker = (shape: Shape, file: string) => Promise<Peer>

const makers: Readonly<Record<PeerName, Maker>> = { tollwatch, hand, chdb, duckdb }

async function tollwatch(_: Shape, file: string): Promise<Peer> {
  const once = async (): Promise<{ tally: Tally; lifetime: Lifetime }> => {
    const history = new NoHistory()
    const lifetime = new Lifetime(config.window.series_limit)
    const pipeline = buildPipeline({ history, events: new Arrivals(), lifetime })
    const source = new FileSource({
      ...{ paths: [file], follow: false, keepBytes: config.decode.max_value_bytes + 1 },
      ...{ book: { known: async () => new Map(), remember: async () => {} }, clock: systemClock, log: silentLog },
    })
    await source.start(() => pipeline.consumer())
    await source.finished()
    await source.close()
    return { tally: { requests: history.requests, refused: history.refused }, lifetime }
  }
  return {
    run: async () => (await once()).tally,
    counts: async () => {
      const counts: Record<string, number> = {}
      for (const { tenant, api, requests, causes } of (await once()).lifetime.totals()) {
        counts[`${tenant} ${api}`] = requests
        for (const { cause, count } of causes) counts[`${tenant} ${api} ${cause}`] = count
      }
      return counts
    },
  }
}

/** Line by line with `JSON.parse`: what one would write without any of the engines. */
async function hand(shape: Shape, file: string): Promise<Peer> {
  const once = async (): Promise<NaiveCounter> => {
    const counter = new NaiveCounter(shape)
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Number.POSITIVE_INFINITY })) {
      counter.takeText(line)
    }
    return counter
  }
  return {
    run: async () => (await once()).tally(),
    counts: async () => {
      const counts: Record<string, number> = {}
      for (const [key, { requests, refused }] of (await once()).buckets) {
        const [tenant = '', api = '', word = ''] = key.split('|')
        addTo(counts, { tenant, api, word, n: requests, refused })
      }
      return counts
    },
  }
}

async function chdb(shape: Shape, file: string): Promise<Peer> {
  const sql = clickhouseCounts(shape, file)
  const answer = <Row>(text: string): Row[] =>
    query(`${text} ${clickhouseSettings}, output_format_json_quote_64bit_integers = 0`, 'JSONEachRow')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Row)
  return {
    run: async () => tallyOf(answer<{ n: number; refused: number }>(summed(sql))[0]),
    counts: async () => countsOf(answer<Group>(sql)),
  }
}

async function duckdb(shape: Shape, file: string): Promise<Peer> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect()
  const sql = duckdbCounts(shape, file)
  const rows = async (text: string) => (await connection.runAndReadAll(text)).getRowObjects()
  return {
    run: async () => tallyOf((await rows(summed(sql)))[0]),
    counts: async () => {
      const groups = (await rows(sql)).map(({ tenant, api, word, n, refused }) => ({
        ...{ tenant: String(tenant), api: String(api), word: String(word), n: Number(n), refused: Number(refused) },
      }))
      return countsOf(groups)
    },
  }
}

function tallyOf(row: { readonly [name: string]: unknown } | undefined): Tally {
  return { requests: Number(row?.['n']), refused: Number(row?.['refused']) }
}

interface Group {
  readonly tenant: string
  readonly api: string
  readonly word: string
  readonly n: number
  readonly refused: number
}

function countsOf(groups: readonly Group[]): Counts {
  const counts: Record<string, number> = {}
  for (const group of groups) addTo(counts, group)
  return counts
}

const causeByWord = new Map<string, string>(refusals)

function addTo(counts: Record<string, number>, { tenant, api, word, n, refused }: Group): void {
  const series = `${tenant} ${api}`
  counts[series] = (counts[series] ?? 0) + n
  if (refused === 0) return
  const key = `${series} ${causeByWord.get(word) ?? word}`
  counts[key] = (counts[key] ?? 0) + refused
}

async function main({ peer: name, shape, file }: Orders): Promise<void> {
  const peer = await makers[name](shape, file)
  serve<PeerDeeds>({
    counts: () => peer.counts(),
    run: async () => {
      collectYoung()
      const ended = startCost()
      const tally = await peer.run()
      return { cost: ended(), tally }
    },
  })
}

await main(JSON.parse(process.argv[2] ?? '') as Orders)
