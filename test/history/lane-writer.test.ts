import { describe, expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import type { RangeStore } from '../../src/history/history.ts'
import { laneStart } from '../../src/history/lane-start.ts'
import { LaneWriter } from '../../src/history/lane-writer.ts'
import { MemoryState } from '../../src/history/state.ts'
import type { Coordinator, Lane } from '../../src/source/source.ts'
import { ManualClock } from '../../src/time/clock.ts'

/** A lane of topic `logs` with the id `now`, as the broker, the group and the ledger have it. */
function world(of: {
  committed?: { offset: number; metadata: object } | null
  ledger?: Readonly<Record<string, number>>
  known?: string
  /** The id that the topic's other partition had. */
  sibling?: string
  holds?: boolean
  id?: string | null
}) {
  const { committed = null, ledger = {}, known, sibling, holds = false, id = 'now' } = of
  const commits: { offset: number; metadata: unknown }[] = []
  const coordinator: Coordinator = {
    read: async () => committed && { offset: committed.offset, metadata: JSON.stringify(committed.metadata) },
    commit: async (offset, metadata) => {
      commits.push({ offset, metadata: JSON.parse(metadata) })
      return 'committed'
    },
  }
  const sourceOf = (one: string | null) => (one === null ? 'kafka:c:logs' : `kafka:c:logs:${one}`)
  const lane: Lane = {
    ...{
      source: sourceOf(id),
      partition: 0,
      label: 'logs/0',
      format: null,
      coordinator,
      incarnation: { id, sourceOf },
    },
    ...{ earliest: 10, initial: 500, latest: 500, pause: () => {}, resume: () => {}, lag: () => 0 },
  }
  const state = new MemoryState()
  const history: RangeStore = {
    state,
    land: async () => {},
    position: async (source) => ledger[source] ?? null,
    holds: async () => holds,
    windowRows: async () => [],
  }
  const writer = new LaneWriter(lane, {
    ...{ history, log: silentLog, clock: new ManualClock(0), epoch: 0, onLanded: () => {} },
  })
  const start = async () => {
    if (known !== undefined) await state.put([{ kind: 'incarnation', key: 'kafka:c:logs/0', value: known }])
    if (sibling !== undefined) await state.put([{ kind: 'incarnation', key: 'kafka:c:logs/1', value: sibling }])
    return laneStart(lane, await writer.position(), async () => holds)
  }
  return { writer, start, commits, state }
}

const intent = { v: 1, epoch: 0, lo: 40, hi: 49, cfg: 'x' }

describe('Where a lane of a topic with an id begins', () => {
  test('is where its own commit says', async () => {
    expect(await world({ committed: { offset: 50, metadata: { v: 1, epoch: 0, topic: 'now' } } }).start()).toEqual({
      kind: 'read',
      at: 50,
      gaps: [],
    })
  })

  test('is the oldest record of a topic that took the place of another, even with start: latest', async () => {
    const committed = { offset: 50, metadata: { v: 1, epoch: 0, topic: 'gone' } }
    expect(await world({ committed }).start()).toEqual({ kind: 'read', at: 10, gaps: [] })
    // Kafka deletes the offsets with the topic; then only the store knows that there was one.
    expect(await world({ known: 'gone' }).start()).toEqual({ kind: 'read', at: 10, gaps: [] })
    expect(await world({ sibling: 'gone' }).start()).toEqual({ kind: 'read', at: 10, gaps: [] })
    expect(await world({ sibling: 'now' }).start()).toEqual({ kind: 'read', at: 500, gaps: [] })
    expect(await world({ known: 'now' }).start()).toEqual({ kind: 'read', at: 500, gaps: [] })
  })

  test('leaves a gap in the old topic where a range was announced and did not land', async () => {
    const committed = { offset: 40, metadata: { ...intent, topic: 'gone' } }
    expect(await world({ committed }).start()).toMatchObject({
      at: 10,
      gaps: [{ source: 'kafka:c:logs:gone', lo: 40, hi: 49 }],
    })
    expect(await world({ committed, holds: true }).start()).toMatchObject({ at: 10, gaps: [] })
  })

  test('completes what a version without ids had announced, under the name that version used', async () => {
    expect(await world({ committed: { offset: 40, metadata: intent } }).start()).toMatchObject({
      kind: 'settle',
      pending: { source: 'kafka:c:logs', lo: 40, hi: 49 },
    })
    const plain = { offset: 50, metadata: { v: 1, epoch: 0 } }
    expect(await world({ committed: plain }).start()).toMatchObject({ at: 50 })
    expect(await world({ committed: plain, ledger: { 'kafka:c:logs': 70 } }).start()).toMatchObject({ at: 70 })
  })

  test('is after the ledger when the group forgot its offsets, also after one without ids', async () => {
    expect(await world({ ledger: { 'kafka:c:logs:now': 80, 'kafka:c:logs': 60 } }).start()).toMatchObject({ at: 80 })
    expect(await world({ ledger: { 'kafka:c:logs': 60 } }).start()).toMatchObject({ at: 60 })
  })

  test('is by name alone where brokers give no ids', async () => {
    const plain = { offset: 50, metadata: { v: 1, epoch: 0 } }
    expect(await world({ committed: plain, id: null }).start()).toMatchObject({ at: 50 })
    expect(await world({ id: null, known: 'gone' }).start()).toMatchObject({ at: 500 })
  })

  test('is noted at once where nothing was known, with the id', async () => {
    const { writer, commits, state } = world({})
    await writer.anchor(500)
    expect(commits).toEqual([{ offset: 500, metadata: { v: 1, epoch: 0, topic: 'now' } }])
    expect((await state.load('incarnation')).get('kafka:c:logs/0')).toBe('now')
  })
})
