import { setTimeout as sleep } from 'node:timers/promises'
import type { ClickHouse } from '../../test/support/clickhouse-http.ts'
import type { Dice } from '../../test/support/dice.ts'
import { type FaultWorld, hasJoined, randomMoment } from '../../test/support/fault-world.ts'
import type { Kafka } from '../../test/support/kafka.ts'
import { waitFor } from '../../test/support/process.ts'
import type { Daemon } from '../../test/support/tollwatch.ts'

/** What faults happen to. The daemon is replaced when it was killed. */
export interface Scene {
  readonly world: FaultWorld
  readonly kafka: Kafka
  /** Null where history is embedded in the daemon. */
  readonly server: ClickHouse | null
  readonly dice: Dice
  daemon: Daemon
  /** Makes a daemon in place of one that ended. */
  restart(): Promise<void>
}

export interface FaultKind {
  readonly name: string
  /** What the table says it is. */
  readonly what: string
  /** Resolves when the fault is over and all parts run again; recovery is counted from there. */
  happen(scene: Scene, long: boolean): Promise<void>
}

export const kill: FaultKind = {
  name: 'kill',
  what: 'SIGKILL of the daemon at a random moment',
  happen: async (scene) => {
    await randomMoment(scene.daemon, scene.dice)
    await scene.daemon.kill()
    await scene.restart()
  },
}

const stop: FaultKind = {
  name: 'stop',
  what: 'the daemon stopped (SIGSTOP) beyond its session, then woken',
  happen: async ({ daemon, dice }) => {
    daemon.child.signal('SIGSTOP')
    await sleep(dice.between(3_000, 8_000))
    daemon.child.signal('SIGCONT')
  },
}

const brokerKill: FaultKind = {
  name: 'broker-kill',
  what: 'SIGKILL of the broker, started again',
  happen: async ({ kafka, dice }) => {
    await kafka.kill()
    await sleep(dice.between(500, 8_000))
    await kafka.restart()
  },
}

const brokerFreeze: FaultKind = {
  name: 'broker-freeze',
  what: 'the broker frozen: connections open, no answers',
  happen: async ({ kafka, dice }) => {
    kafka.suspend()
    await sleep(dice.between(2_000, 12_000))
    kafka.resume()
  },
}

const storeKill: FaultKind = {
  name: 'store-kill',
  what: 'SIGKILL of the ClickHouse server while it is written to, started again',
  happen: async ({ server, world }) => {
    await waitFor('a write', async () => (await world.pendingIntents()) > 0, { timeoutMs: 3_000, everyMs: 1 }).catch(
      () => undefined,
    )
    await server?.kill()
    await server?.restart()
  },
}

const storeAway: FaultKind = {
  name: 'store-away',
  what: 'the ClickHouse server away for one to two minutes (ten seconds in short runs)',
  happen: async ({ server, dice }, long) => {
    await server?.kill()
    await sleep(long ? dice.between(60_000, 120_000) : 10_000)
    await server?.restart()
  },
}

const storeSlow: FaultKind = {
  name: 'store-slow',
  what: 'the ClickHouse server slowed to an eighth of its speed',
  happen: async ({ server, dice }) => {
    for (let left = dice.between(10_000, 20_000); left > 0; left -= 800) {
      server?.suspend()
      await sleep(700)
      server?.resume()
      await sleep(100)
    }
  },
}

const secondMember: FaultKind = {
  name: 'second-member',
  what: 'a second daemon comes into the group and is killed',
  happen: async ({ world, dice }) => {
    const second = await world.startDaemon('second')
    // In mode single it only stands by; it was there all the same.
    await waitFor('the second one to join', () => hasJoined(second) || second.child.ended(), {
      timeoutMs: 8_000,
    }).catch(() => undefined)
    await sleep(dice.between(500, 5_000))
    await second.kill()
  },
}

const zombie: FaultKind = {
  name: 'zombie',
  what: 'the daemon stopped while another takes over, then woken beside it, then killed',
  happen: async (scene) => {
    const { world, dice } = scene
    const sleeper = scene.daemon
    sleeper.child.signal('SIGSTOP')
    const successor = await world.startDaemon('second')
    await waitFor('the second one to take over', () => hasJoined(successor) || successor.child.ended(), {
      timeoutMs: 30_000,
    }).catch(() => undefined)
    await sleep(dice.between(500, 3_000))
    sleeper.child.signal('SIGCONT')
    await sleep(dice.between(500, 3_000))
    await sleeper.kill()
    await successor.kill()
    await scene.restart()
  },
}

const anywhere = [stop, brokerKill, brokerFreeze]
const onServer = [storeKill, storeSlow, secondMember, zombie, storeAway]

/** Names of the faults beside kills. */
export const faultNames: readonly string[] = [...anywhere, ...onServer].map(({ name }) => name)

/** Those of the named faults that can happen; some need a server of ClickHouse. */
export function faultsOf(names: readonly string[], embedded: boolean): readonly FaultKind[] {
  const possible = embedded ? anywhere : [...anywhere, ...onServer]
  return possible.filter(({ name }) => names.includes(name))
}
