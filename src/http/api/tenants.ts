import { z } from 'zod'
import { readCursor, writeCursor } from '../../history/cursor.ts'
import { otherLabel } from '../../window/series.ts'
import { windowLengthsMs } from '../../window/view.ts'
import { count, ratio, tenantName } from '../answers.ts'
import type { HttpDeps } from '../deps.ts'
import { endpoint } from '../endpoint.ts'
import { cursorText, limitText, next } from '../parameters.ts'

/** A row as it is sorted: firing alerts, refusals, requests, id. */
const place = ['number', 'number', 'number', 'string'] as const

interface Row {
  readonly tenant: string
  readonly tenant_name: string | null
  readonly requests: number
  readonly payment_required: number
  readonly ratio: number | null
  readonly firing: number
}

/** The list is made once a second at most: there may be a hundred thousand tenants, and several pages that look. */
export function tenantList() {
  let made: { readonly second: number; readonly rows: readonly Row[] } | null = null
  return endpoint(
    {
      method: 'GET',
      path: '/api/v1/tenants',
      summary: 'Tenants of the last hour and of tenants.file, those with alerts first, then the worst.',
      scope: 'read',
      input: z.strictObject({
        q: z.string().max(200).default('').describe('A part of the id or of the name.'),
        limit: limitText(1_000, 100),
        cursor: cursorText(place),
      }),
      answer: z.object({
        rows: z.array(
          z.object({
            tenant: z.string(),
            tenant_name: tenantName,
            requests: count,
            payment_required: count,
            ratio,
            firing: count.describe('Alerts about it that fire now.'),
          }),
        ),
        next,
      }),
    },
    ({ input }, deps) => {
      const second = Math.floor(deps.clock.now() / 1000)
      if (made?.second !== second) made = { second, rows: rowsOf(deps) }
      const wanted = input.q.trim().toLowerCase()
      const after = input.cursor === undefined ? null : afterOf(input.cursor)
      const limit = Number(input.limit)
      const found: Row[] = []
      for (const row of made.rows) {
        if (after !== null && compare(row, after) <= 0) continue
        if (!row.tenant.toLowerCase().includes(wanted) && !row.tenant_name?.toLowerCase().includes(wanted)) continue
        if (found.length === limit) return { rows: found, next: cursorOf(found.at(-1)) }
        found.push(row)
      }
      return { rows: found, next: null }
    },
  )
}

function rowsOf(deps: HttpDeps): readonly Row[] {
  const tenants = new Map<string, { requests: number; payment_required: number; firing: number }>()
  const entryOf = (tenant: string) => {
    const entry = tenants.get(tenant) ?? { requests: 0, payment_required: 0, firing: 0 }
    tenants.set(tenant, entry)
    return entry
  }
  const view = deps.view()
  const headMs = view?.headMs ?? null
  const series = view === null || headMs === null ? [] : view.totals(headMs - windowLengthsMs['1h'], headMs)
  for (const { tenant, requests, paymentRequired } of series) {
    const entry = entryOf(tenant)
    entry.requests += requests
    entry.payment_required += paymentRequired
  }
  for (const { labels, state } of deps.alerts()) {
    const { tenant } = labels
    if (state === 'firing' && tenant !== undefined) entryOf(tenant).firing++
  }
  for (const { id } of deps.directory()) entryOf(id)
  tenants.delete(otherLabel)
  const rows = [...tenants].map(([tenant, entry]) => ({
    tenant,
    tenant_name: deps.tenants.find(tenant)?.name ?? null,
    ...entry,
    ratio: entry.requests > 0 ? entry.payment_required / entry.requests : null,
  }))
  return rows.sort(compare)
}

function compare(a: Omit<Row, 'tenant_name' | 'ratio'>, b: Omit<Row, 'tenant_name' | 'ratio'>): number {
  const byName = a.tenant < b.tenant ? -1 : a.tenant > b.tenant ? 1 : 0
  return b.firing - a.firing || b.payment_required - a.payment_required || b.requests - a.requests || byName
}

function cursorOf(row: Row | undefined): string | null {
  return row === undefined ? null : writeCursor([row.firing, row.payment_required, row.requests, row.tenant])
}

function afterOf(cursor: string) {
  const [firing, refused, requests, tenant] = readCursor(cursor, place) ?? []
  return {
    ...{ firing: Number(firing), payment_required: Number(refused), requests: Number(requests) },
    tenant: String(tenant),
  }
}
