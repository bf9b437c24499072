/** How one input is doing at a moment of the clock. */
export interface InputHealth {
  /** Kafka topic, or what the source calls itself. */
  readonly topic: string
  /** How far its watermark is behind the clock; null before the first record. */
  readonly watermarkAgeMs: number | null
  /** How long the records that wait to be read have waited; null where the source does not know. */
  readonly lagSeconds: number | null
}

/** An input whose newest record is so old feeds no rule; for rules that say so with `no_data`. */
export const staleAfterMs = 180_000

/** How long the freshest of the inputs has been stale; null if one is not, or if nothing is known. */
export function staleForMs(inputs: readonly InputHealth[]): number | null {
  const ages = inputs.map(({ watermarkAgeMs }) => watermarkAgeMs).filter((age) => age !== null)
  if (ages.length === 0) return null
  const freshest = Math.min(...ages)
  return freshest > staleAfterMs ? freshest : null
}
