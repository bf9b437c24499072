import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readingStatement } from '../../src/history/sql-statement.ts'

describe('A statement to be read', () => {
  test.each([
    ['SELECT 1', 'SELECT 1'],
    ['  -- why\n select 1 ;; -- end', '  -- why\n select 1 '],
    ["SELECT ';', 'it''s', 'a\\';' FROM t", "SELECT ';', 'it''s', 'a\\';' FROM t"],
    ['WITH 1 AS a SELECT a', 'WITH 1 AS a SELECT a'],
    ['(SELECT 1) UNION ALL (SELECT 2)', '(SELECT 1) UNION ALL (SELECT 2)'],
    ['SELECT format FROM tollwatch.events_402 ORDER BY format DESC', undefined],
    ["SELECT 'INTO OUTFILE' /* ; FORMAT CSV */", undefined],
    ['SELECT `a;b`, "c;d", $x$ ; $x$', undefined],
    ['SHOW TABLES FROM tollwatch', undefined],
  ])('is let through: %s', (text, expected) => {
    expect(readingStatement(text)).toBe(expected ?? text)
  })

  test.each([
    ['', 'no statement'],
    ['-- nothing', 'no statement'],
    [';', 'DROP|no statement|not for reading'],
    ['DROP TABLE tollwatch.rollup_1m', 'DROP is not for reading'],
    ['KILL MUTATION WHERE 1', 'KILL is not for reading'],
    ['/* SELECT */ SYSTEM SHUTDOWN', 'SYSTEM is not for reading'],
    ['SELECT 1; KILL QUERY WHERE 1', 'one statement at a time'],
    ["SELECT 1 INTO\nOUTFILE 'x'", 'INTO OUTFILE'],
    ['SELECT 1 FORMAT CSV;', 'leave out FORMAT'],
  ])('is refused with what to write instead: %s', (text, words) => {
    expect(() => readingStatement(text)).toThrow(new RegExp(words))
  })

  test('is never two, however they are hidden from each other', () => {
    const quoted = fc.constantFrom("'a;b'", '"a;b"', '`a;b`', '/*;*/', "'\\'", "'", '--;\n', '1', 'x')
    fc.assert(
      fc.property(fc.array(quoted, { maxLength: 6 }), (parts) => {
        // What is left open swallows the rest; the engine refuses it then.
        const text = `SELECT ${parts.join(' ')}`
        const left = accepted(`${text}\n; DROP TABLE t`)
        expect(left === null || !closed(text)).toBe(true)
      }),
    )
  })
})

function accepted(text: string): string | null {
  try {
    return readingStatement(text)
  } catch {
    return null
  }
}

/** Whether all quotes of a text are closed, told by walking through it sign by sign. */
function closed(text: string): boolean {
  let open = ''
  for (let at = 0; at < text.length; at++) {
    const sign = text[at] ?? ''
    if (open === "'" && sign === '\\') at++
    else if (open === '*' && text.startsWith('*/', at)) open = ''
    else if (open === '-' && sign === '\n') open = ''
    else if (open !== '' && open !== '*' && open !== '-' && sign === open) open = ''
    else if (open === '' && ["'", '"', '`'].includes(sign)) open = sign
    else if (open === '' && text.startsWith('/*', at)) open = '*'
    else if (open === '' && text.startsWith('--', at)) open = '-'
  }
  return open === '' || open === '-'
}
