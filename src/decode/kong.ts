import type { Evidence } from './decode.ts'
import { notations } from './event-time.ts'
import { addPaymentSent, EvidenceGatherer } from './evidence.ts'
import { type Format, recordAt, skipped, unreadable } from './format.ts'
import { isBlank, isObject, type JsonObject, objectOf, valueAt } from './json.ts'
import { keysOf } from './key-list.ts'
import { firstLabel, labelOf } from './label.ts'
import { latencyOf } from './latency.ts'
import { type Names, namesOf } from './names.ts'
import { plainTimes } from './plain-fields.ts'
import type { Details, Reading } from './record.ts'
import type { Settings } from './settings.ts'
import { lastAttempt, readStatus, unreadableStatus, upstreamRefusedIn } from './status.ts'

/** Kong Gateway: what kafka-log, http-log and file-log write with their common serializer. */
export const kong: Format = {
  name: 'kong',

  tenant: [
    'consumer.custom_id',
    'consumer.username',
    'consumer.id',
    // An external identity is no consumer of Kong's; only its id is known then.
    'authenticated_entity.consumer_id',
    'authenticated_entity.id',
  ],
  api: ['route.name', 'route.id', 'service.name', 'service.id', 'request.uri', 'request.url'],
  service: ['service.name', 'service.id'],

  plain: () => plain,

  marksOf: (entry) => ('latencies' in entry && 'started_at' in entry ? marks : null),

  read(entry, index, settings) {
    const response = entry['response']
    // TCP and TLS streams go through the same plug-in; their session status is not HTTP.
    if (response === undefined && isObject(entry['session'])) return skipped(index, 'no-http')
    if (response === undefined || response === null) return unreadableStatus(index, 'no-status', 'response.status')
    if (!isObject(response)) return unreadable(index, 'wrong-type', 'response is no object')
    const status = readStatus(response['status'])
    if (typeof status === 'string') return unreadableStatus(index, status, 'response.status')
    const timeMs = started.as.read(entry[started.key])
    if (timeMs === 'bad-time') return unreadable(index, 'bad-time', 'started_at is no epoch in milliseconds')

    return recordAt(index, new KongReading(entry, response, { timeMs, status, settings }))
  },
}

const marks = ['latencies', 'started_at']
const started = { key: 'started_at', as: notations.ms }
const plain = { status: ['response.status'], upstream: ['upstream_status'], times: plainTimes([started]) }

class KongReading implements Reading {
  readonly format = 'kong'
  readonly timeMs: Reading['timeMs']
  readonly status: Reading['status']
  readonly names: Names
  readonly #entry: JsonObject
  readonly #response: JsonObject

  constructor(
    entry: JsonObject,
    response: JsonObject,
    read: Pick<Reading, 'timeMs' | 'status'> & { readonly settings: Settings },
  ) {
    this.timeMs = read.timeMs
    this.status = read.status
    this.#entry = entry
    this.#response = response
    this.names = namesOf((place) => valueAt(entry, place), read.settings, keysOf(entry))
  }

  upstreamStatus(): number | null {
    return lastAttempt(this.#entry['upstream_status'])
  }

  upstreamRefused(): boolean {
    return upstreamRefusedIn(this.#entry['upstream_status'])
  }

  details(): Details {
    const request = objectOf(this.#entry['request'])
    const consumer = objectOf(this.#entry['consumer'])
    return {
      method: labelOf(request?.['method']),
      consumer: labelOf(consumer?.['username']) ?? firstLabel(consumer?.['custom_id'], consumer?.['id']),
      plan: null,
      latencyMs: latencyOf(objectOf(this.#entry['latencies'])?.['request'], 'ms'),
      requestId: labelOf(request?.['id']),
    }
  }

  evidence(): Evidence {
    const entry = this.#entry
    const gathered = new EvidenceGatherer(answererOf(entry)).headers(this.#response['headers'])
    // Kong logs no bodies; operators add them under these keys.
    gathered.body(this.#response['body'], 'response.body').body(entry['response_body'], 'response_body')
    const ai = objectOf(entry['ai'])
    if (ai !== null) {
      for (const [plugin, value] of Object.entries(ai).slice(0, 10)) {
        const payload = objectOf(objectOf(value)?.['payload'])
        gathered.body(payload?.['response'], `ai.${labelOf(plugin) ?? '*'}.payload.response`)
      }
    }
    addPaymentSent(gathered, objectOf(entry['request'])?.['headers'])
    return gathered.done()
  }
}

function answererOf(entry: JsonObject): Evidence['answeredBy'] {
  const source = entry['source']
  if (source === 'upstream' || source === 'service') return 'upstream'
  if (typeof source === 'string' && source !== '') return 'gateway'
  // Releases before 3.6 have no `source`; -1 means that nothing was proxied.
  const proxied = objectOf(entry['latencies'])?.['proxy']
  if ((proxied === -1 || proxied === '-1') && isBlank(entry['upstream_status'])) return 'gateway'
  return null
}
