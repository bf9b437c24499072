import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { describeWithChdb, describeWithKafka } from '../support/available.ts'
import { startClickHouse } from '../support/clickhouse-http.ts'
import { Dice } from '../support/dice.ts'
import {
  completedWrites,
  FaultWorld,
  failedWrites,
  joined,
  memoryMib,
  randomMoment,
  written,
} from '../support/fault-world.ts'
import { sharedKafka } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import type { Daemon } from '../support/tollwatch.ts'

describeWithChdb('A daemon with its store on a server', () => {
  describeWithKafka('on a real broker', () => {
    test.concurrent('counts each record once although daemon and server are killed and answers lost in the middle of writing', {
      timeout: 300_000,
    }, async () => {
      const dice = new Dice(402)
      const server = await startClickHouse()
      const options = { brokers: await sharedKafka(), seed: 402, perSecond: 150, clickhouse: server.url }
      const world = await FaultWorld.make(options)
      const hits = { daemon: 0, server: 0 }
      try {
        world.traffic.start()
        let daemon = await world.startDaemon()
        for (let round = 0; round < 12; round++) {
          await randomMoment(daemon, dice)
          await daemon.kill()
          if ((await world.pendingIntents()) > 0) hits.daemon++
          daemon = await world.startDaemon()
        }
        await joined(daemon)
        // An insert that the server has taken, and nobody heard of it; and one that it has not.
        await server.fail({ mode: 'cut-after', match: 'INSERT INTO', times: 4 })
        await server.fail({ mode: 'cut-before', match: 'INSERT INTO', times: 2 })
        await waitFor('answers to be lost', () => failedWrites(daemon) > 0)
        for (let round = 0; round < 5; round++) {
          await sleep(dice.between(0, 1_500))
          const before = failedWrites(daemon)
          await server.kill()
          await server.restart()
          await daemon.ready()
          if (failedWrites(daemon) > before) hits.server++
        }
        const audit = await world.audit(daemon, 120_000)
        console.log(`of 12 kills of the daemon and 5 of the server ${hits.daemon} and ${hits.server} fell into a write`)
        expect(audit).toEqual({ records: world.truth.records, lost: 0, doubled: 0, differences: [] })
        expect(await world.endAndVerify(daemon)).toEqual([])
        expect(hits.daemon).toBeGreaterThan(1)
        expect(hits.server).toBeGreaterThan(1)
      } finally {
        await world.close()
        await server.stop()
      }
    })

    test.concurrent('keeps its memory while the server is away, leaves an intent when it is told to end, and writes every record later', {
      timeout: 300_000,
    }, async () => {
      const server = await startClickHouse()
      const options = { brokers: await sharedKafka(), seed: 17, perSecond: 200, clickhouse: server.url }
      const world = await FaultWorld.make({ ...options, refusedShare: 0.7, memoryLimitMib: 8, sessionTimeout: '6s' })
      try {
        world.traffic.start()
        const daemon = await world.startDaemon()
        await written(daemon)
        // Connections stay open and nobody answers.
        server.suspend()
        await sleep(3_000)
        server.resume()
        await server.kill()
        const before = memoryMib(daemon.child.pid).now
        world.traffic.perSecond = 2_500
        // The mark is 8 MiB of waiting rows; from there on records wait in Kafka.
        const paused = async () => world.traffic.acknowledged - (await taken(daemon)) > 5_000
        await waitFor('reading to pause', paused, { timeoutMs: 90_000 })
        world.traffic.perSecond = 100
        const grown = memoryMib(daemon.child.pid).peak - before
        // It cannot write what it holds, so it ends after its grace without, and says so.
        expect(await daemon.stop(60_000)).toEqual({ code: 1, signal: null })
        expect(daemon.logs()).toContain('left before everything was written')
        await server.restart()
        const next = await world.startDaemon()
        const audit = await world.audit(next, 120_000)
        console.log(`${audit.records} records; memory grew by ${Math.round(grown)} MiB while the server was away`)
        expect(audit).toEqual({ records: world.truth.records, lost: 0, doubled: 0, differences: [] })
        expect(completedWrites(next)).toBeGreaterThan(0)
        expect(await world.endAndVerify(next)).toEqual([])
        expect(grown).toBeLessThan(250)
      } finally {
        await world.close()
        await server.stop()
      }
    })
  })
})

/** Records that the daemon has read since it started. */
async function taken(daemon: Daemon): Promise<number> {
  const ok = /^tollwatch_records_total\{result="ok"\} (\d+)/m
  return Number(ok.exec(await daemon.metrics())?.[1] ?? 0)
}
