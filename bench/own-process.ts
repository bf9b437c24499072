import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'

/** What a process does when it is told to: each deed takes one thing and gives one, both as JSON can carry them. */
type Deeds<D> = { readonly [Deed in keyof D]: (wish: never) => Promise<unknown> }

type Wished<Deed> = Deed extends (wish: infer Wish) => Promise<unknown> ? Wish : never

type Given<Deed> = Deed extends (wish: never) => Promise<infer Result> ? Result : never

interface Message<D> {
  readonly deed: keyof D
  readonly wish: never
}

type Answer = { readonly ok: unknown } | { readonly failure: string }

/** In such a process: does what it is asked, one thing at a time, until it is left alone. */
export function serve<D extends Deeds<D>>(deeds: D): void {
  process.once('disconnect', () => process.exit(0))
  process.on('message', ({ deed, wish }: Message<D>) => {
    deeds[deed](wish).then(
      (ok) => process.send?.({ ok } satisfies Answer),
      (error: unknown) => process.send?.({ failure: String(error) } satisfies Answer),
    )
  })
}

/**
 * One of those who are compared, in a process of its own: none shares threads, heap or compiled code with another, and
 * each tells its own CPU time. It is asked for one thing at a time.
 */
export class OwnProcess<D extends Deeds<D>> {
  readonly #name: string
  readonly #child: ChildProcess
  readonly #gone: Promise<readonly [Answer]>

  /**
   * @param script file in this folder without its extension, which calls `serve`
   * @param orders what it finds as JSON in its first argument
   */
  constructor(name: string, script: string, orders: object) {
    this.#name = name
    // The same extension as this file has: .js where the bench was compiled.
    const path = fileURLToPath(new URL(`./${script}${extname(import.meta.url)}`, import.meta.url))
    this.#child = fork(path, [JSON.stringify(orders)], { execArgv: [...process.execArgv] })
    this.#gone = once(this.#child, 'exit').then(() => [{ failure: 'the process has ended' }])
  }

  /** @throws Error with what went wrong there */
  async ask<Deed extends keyof D & string>(deed: Deed, wish: Wished<D[Deed]>): Promise<Given<D[Deed]>> {
    this.#child.send({ deed, wish })
    const [answer] = (await Promise.race([once(this.#child, 'message'), this.#gone])) as readonly [Answer]
    if ('failure' in answer) throw new Error(`${this.#name}, ${deed}: ${answer.failure}`)
    return answer.ok as Given<D[Deed]>
  }

  close(): void {
    if (this.#child.connected) this.#child.disconnect()
  }
}
