import type { Cause, CauseVerdict } from '../classify/cause.ts'
import { causeOf, type Signal, signalsIn } from '../classify/classify.ts'
import type { ClassifyOptions } from '../classify/options.ts'
import { kindOf, type RefusalKind } from '../classify/watch.ts'
import { wellKnownStatuses } from '../classify/well-known.ts'
import type { AccessRecord, Evidence, FormatName, Layout } from '../decode/decode.ts'
import { paymentSentPlace } from '../decode/evidence.ts'
import { labelOf } from '../decode/label.ts'
import { isPlainKey } from '../decode/plain-key.ts'

/** Whether the layout was told by its keys, or is the one that the settings or the command name. */
export type LayoutChoice = 'recognised' | 'set'

/** How a record was read, as `decode --explain --json` prints it. Words only: nothing of a body beyond them. */
export interface Explanation {
  readonly format: FormatName
  readonly format_choice: LayoutChoice
  /** The keys by which the layout was told; empty for text, and where a layout that was set has none of its keys. */
  readonly format_keys: readonly string[]
  readonly tenant_place: string | null
  readonly api_place: string | null
  readonly service: string | null
  readonly refusal: RefusalExplanation | null
  /** The answer means "no money" to a well-known service, and classify.watch does not say that it counts. */
  readonly could_be_watched: boolean
}

/** Why a record is a refusal and what its cause is; null in an explanation for all other records. */
export interface RefusalExplanation {
  readonly kind: RefusalKind
  readonly answered_by: Evidence['answeredBy']
  readonly cause: Cause
  readonly cause_code: string | null
  readonly cause_source: string | null
  readonly decided_by: Signal['kind'] | 'rule' | null
  /** What spoke too and was outranked. */
  readonly outranked: readonly HeardWord[]
  /** Words that were found and say nothing: too general, unknown, or a mark on an answer of the upstream's. */
  readonly says_nothing: readonly HeardWord[]
}

export interface HeardWord {
  readonly kind: Signal['kind']
  readonly cause: Cause | null
  readonly word: string
  readonly source: string
}

const heardLimit = 8

export function explanationOf(
  record: AccessRecord,
  layout: Layout | null,
  choice: LayoutChoice,
  classify: ClassifyOptions,
): Explanation {
  const { service, tenantPlace, apiPlace } = record.origin()
  const kind = kindOf(record, classify)
  return {
    format: record.format,
    format_choice: choice,
    format_keys: layout?.format === record.format ? layout.marks : [],
    tenant_place: tenantPlace,
    api_place: apiPlace,
    service,
    refusal: kind === null ? null : refusalOf(record, kind, causeOf(record, classify.rules)),
    could_be_watched: kind === null && kindOf(record, { ...classify, watch: wellKnownStatuses }) === 'equivalent',
  }
}

function refusalOf(record: AccessRecord, kind: RefusalKind, verdict: CauseVerdict): RefusalExplanation {
  const ruled = verdict.source?.startsWith('rule:') === true
  let decider: Signal | null = null
  const outranked: HeardWord[] = []
  const silent: HeardWord[] = []
  for (const signal of signalsIn(record)) {
    if (!ruled && decider === null && signal.cause !== null) decider = signal
    else heard(signal.cause === null ? silent : outranked, signal)
  }
  return {
    kind,
    answered_by: record.evidence().answeredBy,
    cause: verdict.cause,
    cause_code: verdict.code,
    cause_source: verdict.source,
    decided_by: ruled ? 'rule' : (decider?.kind ?? null),
    outranked,
    says_nothing: silent,
  }
}

function heard(into: HeardWord[], { kind, cause, code, source }: Signal): void {
  if (into.length >= heardLimit || source === paymentSentPlace) return
  // A word that nobody knows is shown only where it can be no secret.
  if (cause === null && (kind === 'code' || kind === 'verdict') && !isPlainKey(code)) return
  const word = labelOf(code)
  if (word === null || into.some((one) => one.word === word && one.cause === cause)) return
  into.push({ kind, cause, word, source })
}
