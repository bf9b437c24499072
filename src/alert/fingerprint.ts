import { createHash } from 'node:crypto'

/**
 * Names an alert over restarts and episodes: 16 hex digits of SHA-256 over the rule and its identifying labels.
 *
 * @param labels in any order; the hash sees them sorted by name
 */
export function fingerprint(rule: string, labels: Readonly<Record<string, string>>): string {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))
  return createHash('sha256')
    .update(JSON.stringify([rule, sorted]))
    .digest('hex')
    .slice(0, 16)
}
