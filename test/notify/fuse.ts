import type { StateEntry, StateStore } from '../../src/history/state.ts'
import type { AlertTarget, Receiver } from '../../src/notify/receiver.ts'

export class Killed extends Error {}

/** Dies at the nth moment at which a process could: before and after everything that lasts. */
export class Fuse {
  moments = 0
  blown = false
  readonly #at: number

  constructor(at: number) {
    this.#at = at
  }

  moment(): void {
    this.moments++
    if (this.moments === this.#at) this.blown = true
    if (this.blown) throw new Killed()
  }
}

export class FusedStore implements StateStore {
  readonly #inner: StateStore
  readonly #fuse: Fuse

  constructor(inner: StateStore, fuse: Fuse) {
    this.#inner = inner
    this.#fuse = fuse
  }

  async put(entries: readonly StateEntry[]): Promise<void> {
    this.#fuse.moment()
    await this.#inner.put(entries)
    this.#fuse.moment()
  }

  load(kind: string): Promise<ReadonlyMap<string, string>> {
    return this.#inner.load(kind)
  }
}

export function fused(receiver: Receiver, fuse: Fuse): Receiver {
  return {
    deliver: async (message, thread, told) => {
      fuse.moment()
      const delivery = await receiver.deliver(message, thread, told)
      fuse.moment()
      return delivery
    },
    close: () => receiver.close(),
    ...(receiver.targets === undefined ? {} : { targets: receiver.targets.map((target) => fusedTarget(target, fuse)) }),
  }
}

function fusedTarget(target: AlertTarget, fuse: Fuse): AlertTarget {
  return {
    post: async (alerts) => {
      fuse.moment()
      const delivery = await target.post(alerts)
      fuse.moment()
      return delivery
    },
  }
}
