import { z } from 'zod'
import type { TenantDirectory } from '../tenants/directory.ts'

/** A time in an answer: ISO 8601 in UTC. */
export const time = z.string().meta({ format: 'date-time', examples: ['2026-05-01T12:00:00.000Z'] })

export const count = z.int().nonnegative()

/** Refusals per request; null without a request. */
export const ratio = z.number().nonnegative().nullable().describe('Refusals per request; null without a request.')

/** Stands beside every tenant. */
export const tenantName = z
  .string()
  .nullable()
  .describe('Name of the tenant in tenants.file; null where none is known.')

export const labels = z.record(z.string(), z.string())

/** The name that people know a tenant by; null for a tenant without one and for none at all. */
export function nameOf(tenants: TenantDirectory, id: string | undefined): string | null {
  return id === undefined ? null : (tenants.find(id)?.name ?? null)
}
