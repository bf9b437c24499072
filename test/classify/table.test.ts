import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { causes } from '../../src/classify/cause.ts'
import { causeOf, signalsIn } from '../../src/classify/classify.ts'
import { codeRows, emptyTexts, emptyWords, textRows, verdictRows } from './cause-table.ts'
import { bodyRecord, recordWith } from './recording.ts'

const pairs = (table: Readonly<Record<string, readonly string[]>>) =>
  Object.entries(table).flatMap(([cause, words]) => words.map((word) => [word, cause] as const))

const isPlain = ([word]: readonly [string, string]) => /^[a-z_]+$/.test(word)

/** A word in every spelling that compares equal to it. */
const spellings = (word: string) => [
  word,
  word.toUpperCase(),
  word.replaceAll('_', '-'),
  word.replaceAll('_', '.'),
  word.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
]

const nothing = { cause: 'unknown', code: null, source: null }

describe('codes', () => {
  test.each(pairs(codeRows))('%s in a body means %s', (word, cause) => {
    const key = /^https?:/.test(word) ? 'type' : 'code'
    expect(causeOf(bodyRecord({ error: { [key]: word, message: 'no' } }), [])).toEqual({
      cause,
      code: word,
      source: `response.body.error.${key}`,
    })
  })

  test.each(pairs(codeRows).filter(isPlain))('%s is the same in every spelling', (word, cause) => {
    for (const spelling of spellings(word)) {
      expect(causeOf(bodyRecord({ code: spelling }), []).cause, spelling).toBe(cause)
    }
  })

  test.each(pairs(codeRows).filter(isPlain))('%s in a header means %s', (word, cause) => {
    const record = recordWith((gathered) => gathered.headers({ 'X-Error-Code': word }))
    expect(causeOf(record, [])).toEqual({ cause, code: word, source: 'response.headers.x-error-code' })
  })

  test.each(emptyWords)('%s says nothing by itself', (word) => {
    expect(causeOf(bodyRecord({ error: { type: word, code: word, reason: word } }), [])).toEqual(nothing)
  })
})

describe('verdicts', () => {
  const rows = verdictRows.flatMap(([cause, field, words]) => words.map((word) => [field, word, cause] as const))

  test.each(rows)('%s %s of the gateway means %s', (field, word, cause) => {
    const record = (answeredBy: 'gateway' | 'upstream' | null) =>
      recordWith((gathered) => gathered.verdict(word, field), answeredBy)
    const expected = cause === 'unknown' ? nothing : { cause, code: word, source: field }
    expect(causeOf(record('gateway'), [])).toEqual(expected)
    expect(causeOf(record(null), [])).toEqual(expected)
    // The same mark on an answer that the gateway only passed through proves nothing.
    expect(causeOf(record('upstream'), [])).toEqual(nothing)
  })
})

describe('texts', () => {
  test.each(pairs(textRows))('"%s" means %s', (phrase, cause) => {
    const verdict = causeOf(bodyRecord({ error: { message: `Sorry, jo: ${phrase}. Ask 7.` } }), [])
    expect(verdict).toMatchObject({ cause, source: 'response.body.error.message' })
    // Only the deciding words are kept, never the message.
    expect(phrase).toContain(verdict.code)
    expect(causeOf(bodyRecord(phrase.toUpperCase()), []).cause).toBe(cause)
  })

  test.each(pairs(textRows).filter(([phrase]) => /^[\x20-\x7e]+$/.test(phrase)))(
    '"%s" stands at word boundaries',
    (phrase) => {
      expect(causeOf(bodyRecord({ error: { message: `un${phrase}ly` } }), [])).toEqual(nothing)
    },
  )

  test.each(emptyTexts)('"%s" says nothing', (message) => {
    expect(causeOf(bodyRecord({ error: { message } }), [])).toEqual(nothing)
  })
})

test('every cause has its row', () => {
  expect([...Object.keys(codeRows), 'unknown'].sort()).toEqual([...causes].sort())
  expect(Object.keys(textRows).sort()).toEqual(Object.keys(codeRows).sort())
})

test('what decides is the first of all signals that has a cause', () => {
  const words = [...pairs(codeRows), ...pairs(textRows)].map(([word]) => word)
  const word = fc.constantFrom(...words, 'nothing_known', 'payment_required', 'api_error')
  const headers = fc.dictionary(fc.constantFrom('x-error-code', 'ratelimit-remaining', 'payment-required'), word)
  const flags = fc.constantFrom('RL', 'UAEX', 'DC', '-')
  fc.assert(
    fc.property(word, word, headers, flags, (code, message, sent, flag) => {
      const record = recordWith(
        (gathered) => gathered.headers(sent).verdict(flag, 'response_flags').body({ error: { code, message } }, 'body'),
        'gateway',
      )
      const first = signalsIn(record).find(({ cause }) => cause !== null)
      const verdict = first === undefined ? nothing : { cause: first.cause, code: first.code, source: first.source }
      expect(causeOf(record, [])).toEqual(verdict)
    }),
  )
})
