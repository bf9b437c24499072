import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Cost } from './measure.ts'
import type { Tally } from './naive.ts'
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
interface Deeds {
  counts(): Promise<Readonly<Record<string, number>>>
  run(): Promise<{ cost: Cost; tally: Tally }>
}

type Answer = { readonly ok: unknown } | { readonly failure: string }

/** In the peer's process: does what it is asked, one thing at a time, until it is left alone. */
export function serve(deeds: Deeds): void {
  process.once('disconnect', () => process.exit(0))
  process.on('message', (deed: keyof Deeds) => {
    deeds[deed]().then(
      (ok) => process.send?.({ ok } satisfies Answer),
      (error: unknown) => process.send?.({ failure: String(error) } satisfies Answer),
    )
  })
}

/** A peer in a process of its own. */
export class PeerProcess implements Deeds {
  readonly #child: ChildProcess
  readonly #gone: Promise<readonly [Answer]>

  constructor(orders: Orders) {
    // The same extension as this file has: .js where the bench was compiled.
    const script = fileURLToPath(new URL(`./peer${extname(import.meta.url)}`, import.meta.url))
    this.#child = fork(script, [JSON.stringify(orders)], { execArgv: [...process.execArgv] })
    this.#gone = once(this.#child, 'exit').then(() => [{ failure: `${orders.peer} has ended` }])
  }

  async counts(): Promise<Readonly<Record<string, number>>> {
    return (await this.#ask('counts')) as Readonly<Record<string, number>>
  }

  async run(): Promise<{ cost: Cost; tally: Tally }> {
    return (await this.#ask('run')) as { cost: Cost; tally: Tally }
  }

  close(): void {
    this.#child.disconnect()
  }

  async #ask(deed: keyof Deeds): Promise<unknown> {
    this.#child.send(deed)
    const [answer] = (await Promise.race([once(this.#child, 'message'), this.#gone])) as readonly [Answer]
    if ('failure' in answer) throw new Error(`${deed}: ${answer.failure}`)
    return answer.ok
  }
}
