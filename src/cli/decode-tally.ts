import type { Cause } from '../classify/cause.ts'
import type { RefusalKind } from '../classify/watch.ts'
import type { Decoded, DecodeFailure } from '../decode/decode.ts'

/** What `tollwatch decode` has seen, for its summary. */
export class Tally {
  lines = 0
  unreadable = 0
  #records = 0
  #skipped = 0
  readonly #failures = new Map<DecodeFailure, number>()
  readonly #causes = new Map<Cause, number>()
  readonly #apart = new Map<RefusalKind, number>()

  add(decoded: Decoded): void {
    if (decoded.kind === 'record') this.#records++
    else if (decoded.kind === 'skipped') this.#skipped++
    else {
      this.unreadable++
      bump(this.#failures, decoded.failure)
    }
  }

  /** @param cause of a 402; null for a refusal under another status */
  refused(kind: RefusalKind | null, cause: Cause | null): void {
    if (cause !== null) bump(this.#causes, cause)
    if (kind !== null && kind !== 'payment_required') bump(this.#apart, kind)
  }

  summary(): Record<string, unknown> {
    return {
      lines: this.lines,
      records: this.#records,
      payment_required: sum(this.#causes),
      causes: Object.fromEntries(this.#causes),
      counted_apart: Object.fromEntries(this.#apart),
      skipped: this.#skipped,
      unreadable: this.unreadable,
      failures: Object.fromEntries(this.#failures),
    }
  }

  text(): string {
    const apart = this.#apart.size === 0 ? '' : `, counted apart${listed(this.#apart)}`
    return (
      `${plural(this.lines, 'line')}: ${plural(this.#records, 'record')}, ` +
      `${sum(this.#causes)} of them 402${listed(this.#causes)}${apart}, ` +
      `${this.#skipped} skipped, ${this.unreadable} unreadable${listed(this.#failures)}\n`
    )
  }
}

export function bump<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`
}

/** ` (quota_exceeded 3, unknown 1)`; empty where there is nothing. */
export function listed(counts: ReadonlyMap<string, number>): string {
  if (counts.size === 0) return ''
  return ` (${[...counts].map(([name, count]) => `${name} ${count}`).join(', ')})`
}

function sum(counts: ReadonlyMap<string, number>): number {
  let total = 0
  for (const count of counts.values()) total += count
  return total
}
