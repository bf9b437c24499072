/**
 * Writes `dashboards/*.json` from `scripts/dashboards/`: `npm run dashboards`. Change the code, never the JSON; a test
 * compares the two.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { DashboardBuilder } from '@grafana/grafana-foundation-sdk/dashboard'
import { alertsDashboard } from './dashboards/alerts.ts'
import { historyDashboard } from './dashboards/history.ts'
import { itselfDashboard } from './dashboards/itself.ts'
import { liveDashboard } from './dashboards/live.ts'
import { tenantDashboard } from './dashboards/tenant.ts'

/** The text of every dashboard by its file name. */
export function dashboardFiles(): ReadonlyMap<string, string> {
  return new Map([
    ['tollwatch-live.json', textOf(liveDashboard())],
    ['tollwatch-tenant.json', textOf(tenantDashboard())],
    ['tollwatch-history.json', textOf(historyDashboard())],
    ['tollwatch-alerts.json', textOf(alertsDashboard())],
    ['tollwatch-itself.json', textOf(itselfDashboard())],
  ])
}

function textOf(board: DashboardBuilder): string {
  const built = board.build()
  // The SDK leaves panels without an id, or all with the same one; links to a panel need their own.
  const panels = (built.panels ?? []).map((panel, index) => ({ ...panel, id: index + 1 }))
  // It also moves links and annotations into a menu, where nobody looks.
  const visible = (key: string, value: unknown) =>
    key === 'placement' && value === 'inControlsMenu' ? undefined : value
  return `${JSON.stringify({ ...built, panels }, visible, 2)}\n`
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = fileURLToPath(new URL('../dashboards/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  for (const [file, text] of dashboardFiles()) {
    writeFileSync(join(folder, file), text)
    console.log(`dashboards/${file}`)
  }
}
