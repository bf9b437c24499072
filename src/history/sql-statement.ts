import { Fault } from '../fault/fault.ts'

/** What begins a statement that reads. */
const readingWords = ['SELECT', 'WITH', 'FROM', 'SHOW', 'DESCRIBE', 'DESC', 'EXPLAIN', 'EXISTS']

/** Texts, quoted names, here-documents and comments: what is in them is no SQL. */
const asides =
  /'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*"|`(?:[^`\\]|\\[\s\S]|``)*`|\$(\w*)\$[\s\S]*?\$\1\$|--[^\n]*|#[ !][^\n]*|\/\*[\s\S]*?\*\//g

/**
 * One statement that reads, without the semicolon at its end. The engine refuses writing by itself; this refuses what
 * it would allow all the same: several statements at once, files, and stopping what others run.
 *
 * @throws Fault `argument-invalid` that says what to write instead
 */
export function readingStatement(text: string): string {
  const bare = text.replace(asides, (aside) => ' '.repeat(aside.length))
  if (bare.trim() === '')
    throw refused('there is no statement; write one, such as SELECT count() FROM tollwatch.events_402')
  const end = bare.indexOf(';')
  if (end >= 0 && bare.slice(end).replaceAll(';', '').trim() !== '') throw refused('write one statement at a time')
  const word = /[a-z]+/i.exec(bare)?.[0] ?? ''
  if (!readingWords.includes(word.toUpperCase()))
    throw refused(`${word} is not for reading; use ${readingWords.join(', ')}`)
  if (/\bINTO\s+OUTFILE\b/i.test(bare)) throw refused('leave out INTO OUTFILE; use --format csv and a redirection')
  if (/\bFORMAT\s+(?!ASC\b|DESC\b)\w+[\s;]*$/i.test(bare))
    throw refused('leave out FORMAT; use --format table, json, csv or ndjson')
  return end >= 0 ? text.slice(0, end) : text
}

function refused(message: string): Fault {
  return new Fault('argument-invalid', message, { retryable: false })
}
