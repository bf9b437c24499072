import { expect, test } from 'vitest'
import { describeWithChdb, describeWithKafka } from '../support/available.ts'
import { Dice } from '../support/dice.ts'
import { completedWrites, FaultWorld, hasJoined, randomMoment } from '../support/fault-world.ts'
import { sharedKafka } from '../support/kafka.ts'

const rounds = 18

describeWithChdb('A daemon with its store inside', () => {
  describeWithKafka('on a real broker', () => {
    test('counts each record once although it is killed 18 times at random moments', { timeout: 300_000 }, async () => {
      const dice = new Dice(402)
      const world = await FaultWorld.make({ brokers: await sharedKafka(), seed: 402, perSecond: 150 })
      const died = { starting: 0, inAWrite: 0, between: 0 }
      let completed = 0
      try {
        world.traffic.start()
        for (let round = 0; round < rounds; round++) {
          const daemon = await world.startDaemon()
          await randomMoment(daemon, dice)
          await daemon.kill()
          const pending = await world.pendingIntents()
          if (!hasJoined(daemon)) died.starting++
          else if (pending > 0) died.inAWrite++
          else died.between++
          completed += completedWrites(daemon)
        }
        const daemon = await world.startDaemon()
        const audit = await world.audit(daemon, 120_000)
        completed += completedWrites(daemon)
        console.log(
          `killed ${rounds} times, ${JSON.stringify(died)}; ${completed} interrupted writes completed; ${audit.records} records`,
        )
        expect(audit).toEqual({ records: world.truth.records, lost: 0, doubled: 0, differences: [] })
        expect(world.truth.records).toBeGreaterThanOrEqual(world.traffic.acknowledged)
        expect(await world.endAndVerify(daemon)).toEqual([])
        // Otherwise the rounds have missed what they are for.
        expect(died.inAWrite).toBeGreaterThan(1)
        expect(completed).toBeGreaterThan(1)
      } finally {
        await world.close()
      }
    })
  })
})
