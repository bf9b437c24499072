import { z } from 'zod'

/** A time in an answer: ISO 8601 in UTC. */
export const time = z.string().meta({ format: 'date-time', examples: ['2026-05-01T12:00:00.000Z'] })

export const count = z.int().nonnegative()

/** Refusals per request; null without a request. */
export const ratio = z.number().nonnegative().nullable().describe('Refusals per request; null without a request.')

export const labels = z.record(z.string(), z.string())
