import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { project } from './pages.ts'

const text = readFileSync(join(project, 'docs/reliability.md'), 'utf8')
const rows = [...text.matchAll(/^\| (\d+) \| (.+) \| (.+) \| (.*) \|$/gm)].map(([, number, , answer, shown = '']) => ({
  number: Number(number),
  answer,
  proofs: [...shown.matchAll(/`(test\/[\w./-]+\.test\.ts)`: "(.+?)"(?=<br>|$)/g)].map(([, file = '', title = '']) => ({
    file,
    title,
  })),
  shown,
}))
const proofs = rows.flatMap(({ number, proofs: list }) => list.map((proof) => ({ number, ...proof })))

describe('docs/reliability.md', () => {
  test('has a row for every fault, in order', () => {
    const all = Array.from({ length: 36 }, (_, i) => i + 1)
    expect(rows.map(({ number }) => number)).toEqual(all)
  })

  test('shows each by a test, or says that it is no case here', () => {
    const bare = rows
      .filter((row) => row.proofs.length === 0)
      .filter((row) => !/not a case here/i.test(row.answer ?? ''))
    expect(bare.map(({ number }) => number)).toEqual([])
  })

  test('has nothing in the last column but tests', () => {
    for (const { shown, proofs: list } of rows) expect(shown === '' ? 0 : shown.split('<br>').length).toBe(list.length)
  })

  test.each(proofs)('names a test that there is: $number: $file: $title', ({ file, title }) => {
    expect(existsSync(join(project, file)), file).toBe(true)
    // Formatters break long calls over lines and choose other quotes; the title itself stays on one line.
    const quoted = ["'", '"', '`'].map(
      (quote) => `${quote}${title.replaceAll("'", quote === "'" ? "\\'" : "'")}${quote}`,
    )
    const source = readFileSync(join(project, file), 'utf8')
    expect(quoted.some((literal) => source.includes(literal))).toBe(true)
  })

  test('has a place for the table of a soak', () => {
    expect(text).toMatch(/<!-- soak: begin -->\n[\s\S]*<!-- soak: end -->/)
  })
})
