/** One condition on a label, written as in Alertmanager: `tenant="acme"`, `cause!~"quota.*"`. */
export interface Matcher {
  readonly label: string
  readonly operator: '=' | '!=' | '=~' | '!~'
  readonly value: string
  /** Whether a label's value passes; a label that is missing counts as the empty text. */
  readonly test: (value: string) => boolean
}

export type ParsedMatcher =
  | { readonly ok: true; readonly matcher: Matcher }
  | { readonly ok: false; readonly message: string; readonly fix: string }

/** Reads one matcher. The value may stand in double quotes (with \" \\ and \n) or, if it is simple, bare. */
export function parseMatcher(text: string): ParsedMatcher {
  const parts = /^\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s"'{},=~!]*))\s*$/s.exec(text)
  if (parts === null) {
    return { ok: false, message: `${quote(text)} is no matcher`, fix: 'write label="value" with =, !=, =~ or !~' }
  }
  const label = parts[1] ?? ''
  const operator = parts[2] as Matcher['operator']
  const value = parts[3] === undefined ? (parts[4] ?? '') : unquoted(parts[3])
  if (operator === '=') return { ok: true, matcher: { label, operator, value, test: (got) => got === value } }
  if (operator === '!=') return { ok: true, matcher: { label, operator, value, test: (got) => got !== value } }
  let expression: RegExp
  try {
    // Anchored at both ends, as Prometheus and Alertmanager do.
    expression = new RegExp(`^(?:${value})$`, 's')
  } catch {
    return {
      ok: false,
      message: `${quote(value)} is no regular expression`,
      fix: 'escape special characters with \\\\',
    }
  }
  const wanted = operator === '=~'
  return { ok: true, matcher: { label, operator, value, test: (got) => expression.test(got) === wanted } }
}

/** Whether all matchers accept the labels. */
export function matchesAll(matchers: readonly Matcher[], labels: Readonly<Record<string, string>>): boolean {
  return matchers.every((matcher) => matcher.test(labels[matcher.label] ?? ''))
}

/** The one way to write a matcher, so that equal ones compare equal. */
export function formatMatcher(matcher: Matcher): string {
  return `${matcher.label}${matcher.operator}${JSON.stringify(matcher.value)}`
}

function unquoted(text: string): string {
  return text.replace(/\\(.)/gs, (_, character: string) => (character === 'n' ? '\n' : character))
}

function quote(text: string): string {
  return JSON.stringify(text)
}
