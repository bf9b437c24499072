import type { Cost } from './measure.ts'
import type { Tally } from './naive.ts'
import { OwnProcess } from './own-process.ts'
import type { Shape } from './records.ts'

export const peerNames = ['tollwatch', 'hand', 'chdb', 'duckdb'] as const

export type PeerName = (typeof peerNames)[number]

/** What a process is to count, and how. */
export interface Orders {
  readonly peer: PeerName
  readonly shape: Shape
  readonly file: string
}

/** What a peer's process does when it is told to. */
export interface PeerDeeds {
  /** Everything that was counted, for comparison; not measured. */
  counts(wish: null): Promise<Readonly<Record<string, number>>>
  run(wish: null): Promise<{ cost: Cost; tally: Tally }>
}

export type PeerProcess = OwnProcess<PeerDeeds>

export function openPeer(orders: Orders): PeerProcess {
  return new OwnProcess(orders.peer, 'peer', orders)
}
