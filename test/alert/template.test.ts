import { describe, expect, it } from 'vitest'
import { parseTemplate, renderTemplate } from '../../src/alert/template.ts'

const known = ['tenant', 'api']
const values = {
  labels: { tenant: 'acme {{ value }}', api: 'chat' },
  numbers: { value: 0.0612, observed: 60, requests: 1004, expected: 2.24, factor: 26.8 },
}

function render(text: string): string {
  const parsed = parseTemplate(text, known)
  if (!parsed.ok) throw new Error(parsed.message)
  return renderTemplate(parsed.template, values)
}

describe('templates', () => {
  it.each([
    ['plain', 'plain'],
    ['{{ labels.api }}!', 'chat!'],
    ['{{$labels.api}}', 'chat'],
    ['{{ .labels.api }}', 'chat'],
    ['{{ value | percent }} {{ $value }}', '6.1 % 0.0612'],
    ['{{ factor | round }}× of {{ expected }}', '27× of 2.24'],
    ['}} {{ observed }}', '}} 60'],
  ])('renders %j', (text, expected) => {
    expect(render(text)).toBe(expected)
  })

  it('never looks into a value', () => {
    expect(render('{{ labels.tenant }}')).toBe('acme {{ value }}')
  })

  it.each([
    ['{{ labels.plan }}', /does not|do not have/],
    ['{{ nothing }}', /not known/],
    ['{{ value | shout }}', /filter/],
    ['{{ labels.api | percent }}', /filter on a label/],
    ['{{ value', /never closed/],
  ])('turns %j away when it is loaded', (text, message) => {
    expect(parseTemplate(text, known)).toMatchObject({ ok: false, message: expect.stringMatching(message) })
  })

  it('names the labels there are', () => {
    expect(parseTemplate('{{ labels.plan }}', known)).toMatchObject({ fix: expect.stringContaining('tenant, api') })
  })
})
