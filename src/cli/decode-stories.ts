import type { ClassifyOptions } from '../classify/options.ts'
import type { AccessRecord, Decoded, DecodeFailure, Layout, SkipReason } from '../decode/decode.ts'
import { type Explanation, explanationOf, type LayoutChoice } from './decode-explanation.ts'
import { judged, type Report, type Seen } from './decode-report.ts'
import { storiesText } from './decode-stories-text.ts'
import { bump, type Tally } from './decode-tally.ts'

/** Records that were read alike, told by the first of them. */
export interface Story {
  readonly place: string
  readonly record: AccessRecord
  readonly explanation: Explanation
  count: number
}

/** All records of one layout that was told by the same keys. */
export interface LayoutStory {
  readonly format: Layout['format']
  readonly marks: readonly string[]
  readonly stories: Map<string, Story>
  records: number
  /** Records of further stories than are kept. */
  beyond: number
  readonly lacking: Lacking
}

/** In how many records something was not there. */
export interface Lacking {
  tenant: number
  time: number
  /** The API is a path: there was no better name. */
  apiName: number
  cause: number
  /** Answers that a well-known service gives when money is out, under a status that is not watched. */
  watch: number
  challenges: number
}

/** Everything there is to tell at the end. */
export interface Stories {
  readonly choice: LayoutChoice
  readonly layouts: readonly LayoutStory[]
  readonly skipped: ReadonlyMap<SkipReason, number>
  readonly unreadable: ReadonlyMap<string, UnreadableStory>
  /** Refusals that each rule decided, by its name. */
  readonly decided: ReadonlyMap<string, number>
  readonly classify: ClassifyOptions
}

export interface UnreadableStory {
  readonly place: string
  readonly failure: DecodeFailure
  readonly message: string
  count: number
}

const storyLimit = 30
const unreadableLimit = 20

/** Tells at the end how the records were read, one story for all that were read alike. */
export class StoryReport implements Report {
  readonly #classify: ClassifyOptions
  readonly #tally: Tally
  readonly #choice: LayoutChoice
  readonly #layouts = new Map<string, LayoutStory>()
  readonly #skipped = new Map<SkipReason, number>()
  readonly #unreadable = new Map<string, UnreadableStory>()
  readonly #decided = new Map<string, number>()

  constructor(classify: ClassifyOptions, tally: Tally, choice: LayoutChoice) {
    this.#classify = classify
    this.#tally = tally
    this.#choice = choice
  }

  entry({ place, decoded, layout }: Seen): string {
    if (decoded.kind === 'record') this.#record(place, decoded.record, layout)
    else if (decoded.kind === 'skipped') bump(this.#skipped, decoded.reason)
    else this.#failure(place, decoded)
    return ''
  }

  end(): string {
    return storiesText({
      choice: this.#choice,
      layouts: [...this.#layouts.values()],
      skipped: this.#skipped,
      unreadable: this.#unreadable,
      decided: this.#decided,
      classify: this.#classify,
    })
  }

  #record(place: string, record: AccessRecord, layout: Layout | null): void {
    const { kind } = judged(record, this.#classify, this.#tally)
    const explanation = explanationOf(record, layout, this.#choice, this.#classify)
    const { refusal } = explanation
    const told = this.#layoutOf(explanation)
    told.records++
    if (refusal?.decided_by === 'rule') bump(this.#decided, refusal.cause_source?.slice('rule:'.length) ?? '')
    if (record.tenant === null) told.lacking.tenant++
    if (record.timeMs === null) told.lacking.time++
    if (record.api === null || record.api.startsWith('/')) told.lacking.apiName++
    if (refusal?.cause === 'unknown') told.lacking.cause++
    if (explanation.could_be_watched) told.lacking.watch++
    if (kind === 'challenge') told.lacking.challenges++
    const key = keyOf(explanation)
    const known = told.stories.get(key)
    if (known !== undefined) known.count++
    else if (told.stories.size < storyLimit) told.stories.set(key, { place, record, explanation, count: 1 })
    else told.beyond++
  }

  #layoutOf({ format, format_keys }: Explanation): LayoutStory {
    const key = [format, ...format_keys].join(' ')
    const known = this.#layouts.get(key)
    if (known !== undefined) return known
    const lacking = { tenant: 0, time: 0, apiName: 0, cause: 0, watch: 0, challenges: 0 }
    const made = { format, marks: format_keys, stories: new Map(), records: 0, beyond: 0, lacking }
    this.#layouts.set(key, made)
    return made
  }

  #failure(place: string, { failure, message }: Extract<Decoded, { kind: 'unreadable' }>): void {
    const key = `${failure} ${message}`
    const known = this.#unreadable.get(key)
    if (known !== undefined) known.count++
    else if (this.#unreadable.size < unreadableLimit) this.#unreadable.set(key, { place, failure, message, count: 1 })
  }
}

/** What makes two records alike; positions in a list inside a place do not. */
function keyOf({ tenant_place, api_place, refusal, could_be_watched }: Explanation): string {
  const { kind, answered_by, cause, cause_code, cause_source } = refusal ?? {}
  const source = cause_source?.replaceAll(/\[\d+\]/g, '[]')
  return JSON.stringify([tenant_place, api_place, could_be_watched, kind, answered_by, cause, cause_code, source])
}
