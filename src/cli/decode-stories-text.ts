import { conditionsOf } from '../classify/rule-lint.ts'
import type { RefusalKind } from '../classify/watch.ts'
import { labelOf } from '../decode/label.ts'
import { adviceFor } from './decode-advice.ts'
import type { HeardWord, RefusalExplanation } from './decode-explanation.ts'
import type { LayoutStory, Stories, Story } from './decode-stories.ts'
import { listed, plural } from './decode-tally.ts'

/** How the records were read, for people: layout by layout, then what was not read, then the rules. */
export function storiesText(stories: Stories): string {
  const parts = [
    ...stories.layouts.map((layout) => layoutText(layout, stories)),
    notReadText(stories),
    rulesText(stories),
  ]
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`
}

function layoutText(layout: LayoutStory, { choice }: Stories): string {
  const lines = [`${layout.format}, ${howTold(layout, choice)}: ${plural(layout.records, 'record')}`]
  for (const story of layout.stories.values()) lines.push('', ...storyLines(story))
  if (layout.beyond > 0) lines.push('', `  and ${plural(layout.beyond, 'record')} of other kinds`)
  const advice = adviceLines(layout)
  if (advice.length > 0) lines.push('', '  What would make it better:', ...advice.map((line) => `  - ${line}`))
  return lines.join('\n')
}

function howTold({ marks }: LayoutStory, choice: Stories['choice']): string {
  const keys = marks.length === 0 ? 'by its text' : `by ${marks.join(' and ')}`
  if (choice === 'recognised') return `recognised ${keys}`
  return marks.length === 0 ? 'as the format was set' : `as the format was set, and it has ${marks.join(' and ')}`
}

function storyLines({ place, record, explanation, count }: Story): string[] {
  const { tenant_place, api_place, service, refusal, could_be_watched } = explanation
  const more = count === 1 ? '' : ` and ${count - 1} more like it`
  const status = record.status ?? 'no response'
  const lines = [`  line ${place}${more}: ${status}${refusal === null ? '' : kindText[refusal.kind]}`]
  lines.push(field('tenant', fromPlace(record.tenant, tenant_place)), field('api', fromPlace(record.api, api_place)))
  if (service !== null) lines.push(field('service', service))
  if (refusal !== null) lines.push(...refusalLines(refusal))
  if (could_be_watched) lines.push(field('note', 'says that money is out, and classify.watch does not count it'))
  return lines
}

const kindText: Readonly<Record<RefusalKind, string>> = {
  payment_required: '',
  equivalent: ', counted apart as an equivalent (classify.watch)',
  upstream_402: ', and the upstream answered 402: counted apart as upstream_402',
  challenge: ', the price tag of a machine payment: counted apart as a challenge',
}

function refusalLines(refusal: RefusalExplanation): string[] {
  const { cause, answered_by, outranked, says_nothing } = refusal
  const lines = [field('cause', `${cause}, ${whyText(refusal)}`)]
  if (answered_by !== null) lines.push(field('answer', `by the ${answered_by}`))
  for (const one of outranked) lines.push(field('outranked', `${heardText(one)}: ${one.cause}`))
  if (says_nothing.length > 0) lines.push(field('no cause in', says_nothing.map(heardText).join(', ')))
  return lines
}

const decidedBy: Readonly<Record<HeardWord['kind'], string>> = {
  code: 'the machine word',
  verdict: "the gateway's verdict",
  text: 'the words',
  provider: "the gateway's word about the provider",
  header: 'the header',
  challenge: 'the price tag',
}

function whyText({ decided_by, cause_code, cause_source }: RefusalExplanation): string {
  if (decided_by === null) return 'nothing in the record says why'
  const word = cause_code === null ? '' : ` "${labelOf(cause_code) ?? ''}"`
  if (decided_by === 'rule')
    return `by your rule "${cause_source?.slice('rule:'.length)}"${cause_code === null ? '' : `, which found${word}`}`
  return `by ${decidedBy[decided_by]}${word} at ${cause_source}`
}

function heardText({ kind, word, source }: HeardWord): string {
  return `${decidedBy[kind]} "${word}" at ${source}`
}

function fromPlace(name: string | null, place: string | null): string {
  return name === null ? 'unknown' : `${name}, from ${place ?? 'an unnamed place'}`
}

function field(name: string, text: string): string {
  return `    ${name.padEnd(11)} ${text}`
}

function adviceLines({ format, records, lacking }: LayoutStory): string[] {
  const lines: string[] = []
  const share = (count: number) => (count === records ? 'any record' : `${count} of ${plural(records, 'record')}`)
  const inShare = (count: number) => (count === records ? 'all records' : `${count} of ${plural(records, 'record')}`)
  if (lacking.tenant > 0) {
    const own = `a header such as x-tenant-id helps, and decode.tenant.${format} names other places`
    lines.push(`no tenant in ${share(lacking.tenant)}: ${adviceFor[format].tenant}; ${own}`)
  }
  if (lacking.apiName > 0) {
    lines.push(
      `no API, or only its path, in ${inShare(lacking.apiName)}: name routes, or write templates in decode.paths.rules`,
    )
  }
  if (lacking.cause > 0) {
    lines.push(
      `no cause for ${plural(lacking.cause, 'refusal')}: ${adviceFor[format].cause}; a rule under classify.rules can name the cause of a route`,
    )
  }
  if (lacking.time > 0) lines.push(`no time in ${share(lacking.time)}: the time of arrival stands in`)
  if (lacking.watch > 0) {
    lines.push(
      `${plural(lacking.watch, 'answer')} under another status than 402 ${lacking.watch === 1 ? 'says' : 'say'} that money is out: "watch: [well-known]" under classify counts them apart`,
    )
  }
  if (lacking.challenges > 0) {
    lines.push(
      `${plural(lacking.challenges, 'price tag')} of machine payments left out of rates and alerts; classify.count_challenges counts them`,
    )
  }
  return lines
}

function notReadText({ skipped, unreadable }: Stories): string {
  const lines: string[] = []
  if (skipped.size > 0) lines.push(`No access records, and passed over${listed(skipped)}`)
  if (unreadable.size > 0) lines.push('Could not be read:')
  for (const { place, failure, message, count } of unreadable.values()) {
    lines.push(`  line ${place}${count === 1 ? '' : ` and ${count - 1} more`}: ${failure}: ${message}`)
  }
  return lines.join('\n')
}

function rulesText({ classify: { rules, watch }, decided }: Stories): string {
  const lines = ['Your rules (classify.rules), of which the first that fits decides:']
  for (const rule of rules) {
    lines.push(
      `  ${rule.name}: ${conditionsOf(rule)} is ${rule.cause}; decided ${plural(decided.get(rule.name) ?? 0, 'refusal')}`,
    )
  }
  if (rules.length === 0) lines[0] = 'You have no rules of your own (classify.rules).'
  if (watch.length > 0) {
    const statuses = [...new Set(watch.map(({ status }) => status))].join(', ')
    lines.push(`Watched beside 402 where the answer speaks of money (classify.watch): ${statuses}`)
  }
  return lines.join('\n')
}
