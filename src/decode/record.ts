import type { AccessRecord, Evidence, FormatName, Origin } from './decode.ts'
import type { Names } from './names.ts'

/** What only a refused call or a person asks for. */
export type Details = Pick<AccessRecord, 'method' | 'consumer' | 'plan' | 'latencyMs' | 'requestId'>

/**
 * What a layout's reader says of one request. Whatever is a method is looked up when it is asked for: of a plain record
 * nothing is read but what it is counted by. The layouts that are met most make a class of it, since an object of
 * closures costs as much as reading the names.
 */
export interface Reading {
  readonly format: FormatName
  readonly timeMs: AccessRecord['timeMs']
  readonly status: AccessRecord['status']
  readonly names: Names
  upstreamStatus(): number | null
  upstreamRefused(): boolean
  details(): Details
  /** Called once at most. */
  evidence(): Evidence
}

/** A record over the reading of one entry. A class, since getters of an object literal cost more than all they save. */
export class GatewayRecord implements AccessRecord {
  readonly format: FormatName
  readonly timeMs: AccessRecord['timeMs']
  readonly status: AccessRecord['status']
  readonly tenant: string | null
  readonly api: string | null
  readonly #reading: Reading
  #details: Details | null = null
  #evidence: Evidence | null = null

  constructor(reading: Reading) {
    this.format = reading.format
    this.timeMs = reading.timeMs
    this.status = reading.status
    this.tenant = reading.names.tenant
    this.api = reading.names.api
    this.#reading = reading
  }

  get upstreamStatus(): number | null {
    return this.#reading.upstreamStatus()
  }

  get upstreamRefused(): boolean {
    return this.#reading.upstreamRefused()
  }

  get method(): string | null {
    return this.#detailed().method
  }

  get consumer(): string | null {
    return this.#detailed().consumer
  }

  get plan(): string | null {
    return this.#detailed().plan
  }

  get latencyMs(): number | null {
    return this.#detailed().latencyMs
  }

  get requestId(): string | null {
    return this.#detailed().requestId
  }

  get origin(): () => Origin {
    const { names } = this.#reading
    return () => names.origin()
  }

  evidence(): Evidence {
    this.#evidence ??= this.#reading.evidence()
    return this.#evidence
  }

  #detailed(): Details {
    this.#details ??= this.#reading.details()
    return this.#details
  }
}
