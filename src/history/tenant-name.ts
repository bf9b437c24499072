/*
 * Where a tenant's name stands in a text. Names may hold - . @ and +, so "acme" is not mentioned in "acme-eu"; any other
 * character that is no letter, digit or underscore ends a name.
 */

/** The name as it may stand in a text, in JSON, and where bytes were kept one character each. */
export function formsOf(name: string): readonly string[] {
  const json = JSON.stringify(name).slice(1, -1)
  const bytes = Buffer.from(name, 'utf8').toString('latin1')
  return [...new Set([name, json, bytes])]
}

/** Finds each mention in a text. */
export function mentionOf(name: string): RegExp {
  const word = '[\\p{L}\\p{N}_]'
  return new RegExp(`(?<!${word}|${word}[-.@+])(?:${alternatives(name)})(?!${word}|[-.@+]${word})`, 'gu')
}

/** The same for ClickHouse, whose patterns know no looking around. */
export function mentionPattern(name: string): string {
  const [word, joint] = ['[^\\pL\\pN_]', '[.@+-]']
  const end = `(?:$|${word})`
  return `(?:^|[^\\pL\\pN_.@+-]|(?:^|${word})${joint})(?:${alternatives(name)})(?:$|[^\\pL\\pN_.@+-]|${joint}${end})`
}

function alternatives(name: string): string {
  // Longest first, so that of a form that begins another the whole is taken.
  const forms = [...formsOf(name)].sort((a, b) => b.length - a.length)
  return forms.map((form) => form.replaceAll(/[.*+?^${}()|[\]\\/-]/g, (sign) => `\\x${hex(sign)}`)).join('|')
}

function hex(sign: string): string {
  return sign.charCodeAt(0).toString(16).padStart(2, '0')
}
