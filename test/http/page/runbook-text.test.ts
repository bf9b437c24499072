import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { blocksOf, piecesOf } from '../../../src/http/page/runbook-text.ts'

const folder = new URL('../../../alerts/runbooks/', import.meta.url)

describe('a runbook', () => {
  test.each(readdirSync(folder))('%s shows all its words and no mark-up', (file) => {
    const markdown = readFileSync(new URL(file, folder), 'utf8')
    const lines = blocksOf(markdown).flatMap((block) => (block.kind === 'list' ? block.items : [block.text]))
    const pieces = lines.flatMap(piecesOf)
    const shown = pieces.map(({ text }) => text).join(' ')
    const prose = pieces.map(({ kind, text }) => (kind === 'code' ? '' : text)).join(' ')
    const words = (text: string) => text.match(/[\p{L}\d]{4,}/gu) ?? []
    const written = markdown.replace(/^# .*$/m, '').replace(/\]\([^)]*\)/g, ']')
    expect(words(shown)).toEqual(words(written))
    expect(prose).not.toMatch(/`|\]\(|^#|\*\*|(?<!\w)_|_(?!\w)/m)
  })

  test('is headings, paragraphs and lists', () => {
    expect(blocksOf('# Title\n\n## What\n\nOne\ntwo.\n\n- a `b`\n  c\n- d\n\n1. e\n')).toEqual([
      { kind: 'heading', text: 'What' },
      { kind: 'paragraph', text: 'One two.' },
      { kind: 'list', ordered: false, items: ['a `b` c', 'd'] },
      { kind: 'list', ordered: true, items: ['e'] },
    ])
    expect(piecesOf('see [x](x.md), run `y_a_b` **now** or _then_')).toEqual([
      { kind: 'text', text: 'see ' },
      { kind: 'link', text: 'x', to: 'x.md' },
      { kind: 'text', text: ', run ' },
      { kind: 'code', text: 'y_a_b' },
      { kind: 'text', text: ' ' },
      { kind: 'strong', text: 'now' },
      { kind: 'text', text: ' or ' },
      { kind: 'strong', text: 'then' },
    ])
  })
})
