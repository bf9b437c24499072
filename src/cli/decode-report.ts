import type { CauseVerdict } from '../classify/cause.ts'
import { causeOf } from '../classify/classify.ts'
import type { ClassifyOptions } from '../classify/options.ts'
import { kindOf, type RefusalKind } from '../classify/watch.ts'
import type { AccessRecord, Decoded, Layout } from '../decode/decode.ts'
import { formatInstant } from '../time/instant.ts'
import { explanationOf, type LayoutChoice } from './decode-explanation.ts'
import type { Tally } from './decode-tally.ts'

/** One entry as it came out of a file. */
export interface Seen {
  /** Counted from 1 in its file. */
  readonly line: number
  /** For people: `12`, or `kong.ndjson:12` where several files are read. */
  readonly place: string
  readonly decoded: Decoded
  readonly layout: Layout | null
}

/** What `tollwatch decode` prints about the entries; empty text where there is nothing to say yet. */
export interface Report {
  entry(seen: Seen): string
  end(): string
}

/** One JSON object per record, or per entry that cannot be read. */
export class RowReport implements Report {
  readonly #classify: ClassifyOptions
  readonly #tally: Tally
  readonly #explain: LayoutChoice | null

  /** @param explain how the layout was chosen, to add an explanation to every row; null for rows alone */
  constructor(classify: ClassifyOptions, tally: Tally, explain: LayoutChoice | null) {
    this.#classify = classify
    this.#tally = tally
    this.#explain = explain
  }

  entry({ line, decoded, layout }: Seen): string {
    if (decoded.kind === 'unreadable') {
      return `${JSON.stringify({ line, error: decoded.failure, message: decoded.message })}\n`
    }
    if (decoded.kind === 'skipped') {
      return this.#explain === null ? '' : `${JSON.stringify({ line, skipped: decoded.reason })}\n`
    }
    const { record } = decoded
    const { verdict } = judged(record, this.#classify, this.#tally)
    const row = rowOf(line, record, verdict)
    if (this.#explain === null) return `${JSON.stringify(row)}\n`
    const explain = explanationOf(record, layout, this.#explain, this.#classify)
    return `${JSON.stringify({ ...row, explain })}\n`
  }

  end(): string {
    return ''
  }
}

/** The cause of a 402, and what kind of refusal a record is; counted in the summary. */
export function judged(
  record: AccessRecord,
  classify: ClassifyOptions,
  tally: Tally,
): { readonly kind: RefusalKind | null; readonly verdict: CauseVerdict | null } {
  const kind = kindOf(record, classify)
  const verdict = record.status === 402 ? causeOf(record, classify.rules) : null
  tally.refused(kind, verdict?.cause ?? null)
  return { kind, verdict }
}

function rowOf(line: number, record: AccessRecord, verdict: CauseVerdict | null): Record<string, unknown> {
  return {
    line,
    time: record.timeMs === null ? null : formatInstant(record.timeMs),
    status: record.status,
    tenant: record.tenant,
    api: record.api,
    cause: verdict?.cause ?? null,
    cause_code: verdict?.code ?? null,
    cause_source: verdict?.source ?? null,
    latency_ms: record.latencyMs,
    request_id: record.requestId,
    format: record.format,
  }
}
