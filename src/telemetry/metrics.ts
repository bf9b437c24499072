import { type HrTime, ValueType } from '@opentelemetry/api'
import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { AggregationTemporality, DataPointType, MeterProvider, type MetricData } from '@opentelemetry/sdk-metrics'
import { type ApartKind, apartKinds } from '../classify/watch.ts'
import { decodeFailures } from '../decode/decode.ts'
import type { EpochMs } from '../time/clock.ts'
import { ExportedSeries } from './exported-series.ts'
import type { Family } from './family.ts'
import type { MetricsInputs } from './inputs.ts'
import { processFamilies } from './process.ts'
import { scrapedFamilies } from './scrape.ts'

/** Seconds; an insert usually takes ten milliseconds, and one that waits for a store may take minutes. */
const flushBoundsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300]

/** The SDK folds what is above 2,000 label sets away in silence; event metrics stay far below this bound. */
const labelSetLimit = 10_000

const noTime: HrTime = [0, 0]

/**
 * The daemon's metrics. Events are counted by OpenTelemetry instruments as they happen. Values that live elsewhere
 * (series, lag, alerts) are read at the moment of a scrape and handed to the Prometheus serializer beside them, not
 * through observable instruments: sdk-metrics 2.12 goes on reporting every label set it has once observed, so the
 * ratio of a tenant that went silent and an alert that was resolved would stay for ever.
 */
export class Metrics {
  readonly #inputs: MetricsInputs
  readonly #self: { readonly version: string; readonly startedMs: EpochMs }
  readonly #exported: ExportedSeries
  // It has a server of its own that is never started: it is only asked to collect.
  readonly #reader = new PrometheusExporter({ preventServerStart: true })
  // Neither the scope nor the target: the latter would show host name and command line.
  readonly #serializer = new PrometheusSerializer(undefined, false, undefined, true, true)
  readonly #provider = new MeterProvider({
    readers: [this.#reader],
    views: [{ instrumentName: 'tollwatch_*', aggregationCardinalityLimit: labelSetLimit }],
  })
  readonly #meter = this.#provider.getMeter('tollwatch')
  readonly #records = this.#meter.createCounter('tollwatch_records_total', {
    description: 'Entries read from the input: ok, skipped, or why they could not be read.',
  })
  readonly #refusalsApart = this.#meter.createCounter('tollwatch_refusals_apart_total', {
    description: 'Refusals kept out of rates and alerts, by why: equivalent, upstream_402 or challenge.',
  })
  readonly #flushes = this.#meter.createHistogram('tollwatch_history_flush_duration_seconds', {
    description: 'How long it took to write one batch to history.',
    advice: { explicitBucketBoundaries: flushBoundsSeconds },
  })
  readonly #notifications = this.#meter.createCounter('tollwatch_notifications_total', {
    description: 'Notifications by receiver and result.',
  })

  /**
   * @param inputs where the values of a scrape are read
   * @param options `topSeries` is how many (tenant, api) pairs get labels of their own
   */
  constructor(
    inputs: MetricsInputs,
    options: { readonly topSeries: number; readonly version: string; readonly startedMs: EpochMs },
  ) {
    this.#inputs = inputs
    this.#self = options
    this.#exported = new ExportedSeries(options.topSeries)
    // A counter that starts at its first event hides that event from increase().
    for (const result of ['ok', 'skipped', ...decodeFailures]) this.#records.add(0, { result })
    for (const kind of apartKinds) this.#refusalsApart.add(0, { kind })
  }

  /** @param result `ok`, `skipped` or a decode failure; never a text from the input */
  records(result: string, count: number): void {
    this.#records.add(count, { result })
  }

  /** Refusals that do not count in the rates. */
  refusalsApart(kind: ApartKind, count: number): void {
    this.#refusalsApart.add(count, { kind })
  }

  /** One batch was written to history in so many seconds. */
  flushed(seconds: number): void {
    this.#flushes.record(seconds)
  }

  /** @param result a closed word such as `sent` or `failed` */
  notified(receiver: string, result: string): void {
    this.#notifications.add(1, { receiver, result })
  }

  /** Everything in the Prometheus text format. */
  async text(): Promise<string> {
    const { resourceMetrics } = await this.#reader.collect()
    const families = [...scrapedFamilies(this.#inputs, this.#exported), ...processFamilies(this.#self)]
    return this.#serializer.serialize({
      resource: resourceMetrics.resource,
      scopeMetrics: [
        { scope: { name: 'tollwatch' }, metrics: families.map(metricData) },
        ...resourceMetrics.scopeMetrics.filter(({ scope }) => scope.name === 'tollwatch'),
      ],
    })
  }
}

function metricData(family: Family): MetricData {
  const descriptor = { name: family.name, description: family.help, unit: '', valueType: ValueType.DOUBLE }
  const aggregationTemporality = AggregationTemporality.CUMULATIVE
  const dataPoints = family.points.map(({ labels, value }) => ({
    startTime: noTime,
    endTime: noTime,
    attributes: labels,
    value,
  }))
  switch (family.kind) {
    case 'counter':
      return { descriptor, aggregationTemporality, dataPoints, dataPointType: DataPointType.SUM, isMonotonic: true }
    case 'gauge':
      return { descriptor, aggregationTemporality, dataPoints, dataPointType: DataPointType.GAUGE }
    default:
      return family.kind satisfies never
  }
}
