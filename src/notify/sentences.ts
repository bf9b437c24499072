import type { Alert } from '../alert/alert.ts'
import type { TenantDirectory } from '../tenants/directory.ts'
import { isCalm } from './facts.ts'
import { labelOf } from './labels.ts'
import { nameText, plainText } from './plain-text.ts'
import { causeName } from './runbook.ts'

/** What happened: which rule on which series, unless the rule's own summary says it all, and that summary. */
export function sentencesOf(
  lead: Alert,
  { reminder, tenants }: { reminder: boolean; tenants: TenantDirectory },
): readonly string[] {
  const part = (word: string, value: string) => (value === '' ? [] : [`${word} ${value}`])
  const where = [
    ...part('tenant', tenantText(labelOf(lead.labels, 'tenant'), tenants)),
    ...part('API', nameText(labelOf(lead.labels, 'api'), 200)),
    ...part('cause', causeName(plainText(labelOf(lead.labels, 'cause'), 60))),
  ].join(', ')
  const summary = plainText(lead.annotations['summary'] ?? '', 500)
  const said = where === '' || namesSeries(summary, lead)
  const first = `${plainText(lead.rule, 100)} ${stateText(lead, reminder)}${said ? '' : ` for ${where}`}.`
  return summary === '' ? [first] : [first, summary]
}

function stateText(lead: Alert, reminder: boolean): string {
  if (lead.state === 'resolved') return 'is resolved'
  if (isCalm(lead)) return 'has not ended yet, but is calm at the moment'
  return reminder ? 'is still firing' : 'is firing'
}

/** The id, which stands in the logs, with the name people know beside it. */
function tenantText(id: string, tenants: TenantDirectory): string {
  const name = id === '' ? null : (tenants.find(id)?.name ?? null)
  return name === null ? nameText(id, 200) : `${nameText(id, 200)} (${nameText(name, 100)})`
}

/** Whether a sentence names all that sets the alert's series apart, so that it need not be said before it as well. */
function namesSeries(sentence: string, { labels }: Alert): boolean {
  const names = [
    nameText(labelOf(labels, 'tenant'), 200),
    nameText(labelOf(labels, 'api'), 200),
    causeName(plainText(labelOf(labels, 'cause'), 60)),
  ]
  // Between letters, as the `a` in "again", a name is no name.
  const isAlone = (at: number, name: string) =>
    !/[\p{L}\p{N}]$/u.test(sentence.slice(0, at)) && !/^[\p{L}\p{N}]/u.test(sentence.slice(at + name.length))
  const isNamed = (name: string) => {
    for (let at = sentence.indexOf(name); at >= 0; at = sentence.indexOf(name, at + 1)) {
      if (isAlone(at, name)) return true
    }
    return false
  }
  return names.every((name) => name === '' || isNamed(name))
}
