import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWithChdb, describeWithKafka } from '../support/available.ts'
import { startClickHouse } from '../support/clickhouse-http.ts'
import { FaultWorld, joined } from '../support/fault-world.ts'
import { type Kafka, startKafka } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'

/** Well beyond the session of 1.5 s that the worlds here have. */
const beyondSessionMs = 4_000

describeWithChdb('A daemon in a group', () => {
  describeWithKafka('on a real broker of its own', () => {
    let kafka: Kafka
    beforeAll(async () => {
      kafka = await startKafka()
    })
    afterAll(() => kafka.stop())

    test('counts each record once although the broker is killed twice and frozen', { timeout: 300_000 }, async () => {
      const world = await FaultWorld.make({ brokers: kafka.brokers, seed: 4, perSecond: 150 })
      try {
        world.traffic.start()
        const daemon = await world.startDaemon()
        await daemon.ready()
        for (let round = 0; round < 2; round++) {
          await sleep(700)
          await kafka.kill()
          await sleep(1_000)
          await kafka.restart()
          await world.caughtUp(daemon)
        }
        kafka.suspend()
        await sleep(beyondSessionMs)
        kafka.resume()
        await world.caughtUp(daemon)
        const audit = await world.audit(daemon)
        expect(audit).toEqual({ records: world.truth.records, lost: 0, doubled: 0, differences: [] })
        expect(await world.endAndVerify(daemon)).toEqual([])
      } finally {
        kafka.resume()
        await world.close()
      }
    })

    test.concurrent('goes on by itself after it was stopped beyond its session', { timeout: 300_000 }, async () => {
      const world = await FaultWorld.make({ brokers: kafka.brokers, seed: 6, perSecond: 150 })
      try {
        world.traffic.start()
        const daemon = await world.startDaemon()
        await daemon.ready()
        for (let round = 0; round < 2; round++) {
          await sleep(500)
          daemon.child.signal('SIGSTOP')
          await sleep(beyondSessionMs)
          daemon.child.signal('SIGCONT')
          await world.caughtUp(daemon)
        }
        const audit = await world.audit(daemon)
        expect(audit).toEqual({ records: world.truth.records, lost: 0, doubled: 0, differences: [] })
        expect(await world.endAndVerify(daemon)).toEqual([])
      } finally {
        await world.close()
      }
    })

    test.concurrent('leaves its partitions to another one while it is stopped, and doubles nothing when it wakes', {
      timeout: 300_000,
    }, async () => {
      const server = await startClickHouse()
      const options = { brokers: kafka.brokers, seed: 31, perSecond: 150, clickhouse: server.url }
      const world = await FaultWorld.make(options)
      try {
        world.traffic.start()
        const first = await world.startDaemon('first')
        await first.ready()
        await waitFor('a write that is under way', async () => (await world.pendingIntents()) > 0, { everyMs: 1 })
        first.child.signal('SIGSTOP')
        const second = await world.startDaemon('second')
        await joined(second)
        await world.caughtUp(second)
        // The sleeper finishes the insert it was in the middle of, or begins the next one.
        first.child.signal('SIGCONT')
        await sleep(3_000)
        await first.kill()
        await world.caughtUp(second)
        const audit = await world.audit(second)
        expect(audit).toEqual({ records: world.truth.records, lost: 0, doubled: 0, differences: [] })
        expect(await world.endAndVerify(second)).toEqual([])
      } finally {
        await world.close()
        await server.stop()
      }
    })
  })
})
