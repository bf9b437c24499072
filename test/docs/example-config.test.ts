import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { loadConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { formatNames } from '../../src/decode/decode.ts'
import { tempDir } from '../support/run-context.ts'
import { project } from './pages.ts'
import { settings } from './settings.ts'

const text = readFileSync(join(project, 'tollwatch.example.yaml'), 'utf8')
/** Examples begin with # and a key, their inner lines with # and two spaces or more, explanations with # and one. */
const full = text.replace(/^( *)#(?=[^ \n]| {2})/gm, '$1')

const known = settings()

/** What stands in the file at a path of `settings`; every item of a list counts. */
function valuesAt(value: unknown, path: string): readonly unknown[] {
  let found = [value]
  for (const step of path.replaceAll('[]', '.[]').split('.')) {
    found = found.flatMap((one) => {
      if (step === '[]') return Array.isArray(one) ? one : [one]
      const at = typeof one === 'object' && one !== null ? (one as Record<string, unknown>)[step] : undefined
      return at === undefined ? [] : [at]
    })
  }
  return found
}

describe('tollwatch.example.yaml', () => {
  test('is, as it stands, exactly the defaults', () => {
    expect(configSchema.parse(parse(text))).toEqual(configSchema.parse({}))
  })

  test('has every setting there is', () => {
    expect(known.size).toBeGreaterThan(80)
    const file: unknown = parse(full)
    const missing = [...known.keys()].filter((path) => !path.endsWith('[]') && valuesAt(file, path).length === 0)
    expect(missing).toEqual([])
  })

  test('shows the default of every setting, also of those that are off', () => {
    const plain = [...known].filter(
      ([, fallback]) => ['string', 'number', 'boolean'].includes(typeof fallback) && fallback !== '',
    )
    // The default of these is another shape than the example, and the comment says so.
    const told = plain.filter(([path]) => path !== 'source.kafka.tls')
    const file: unknown = parse(full)
    expect(told.length).toBeGreaterThan(30)
    for (const [path, fallback] of told) expect([path, valuesAt(file, path)]).toEqual([path, [fallback]])
    expect(known.get('source.kafka.tls')).toBe(false)
    expect(text).toContain('# false (the default), true for TLS')
  })

  test.each(['', '_file'])('loads with all its examples on, with secrets given by %j', (suffix) => {
    // A secret stands in the file or in one beside it, never both.
    const lines = full.split('\n').filter((line) => {
      const key = /^ *(password|token)(_file)?:/.exec(line)
      return key === null || (key[2] ?? '') === suffix
    })
    const file = join(tempDir('example'), 'tollwatch.yaml')
    writeFileSync(file, lines.join('\n'))
    const secrets = {
      KAFKA_PASSWORD: 'k'.repeat(20),
      CLICKHOUSE_PASSWORD: 'c'.repeat(20),
      TOLLWATCH_TOKEN: 't'.repeat(20),
      GRAFANA_TOKEN: 'g'.repeat(20),
    }
    const loaded = loadConfig(file, {}, secrets)
    expect(loaded).toMatchObject({ ok: true })
    if (!loaded.ok) return
    expect(loaded.config.source.kafka?.topic).toEqual(['gateway-logs'])
    expect(loaded.config.classify.rules).toHaveLength(3)
  })

  test('names every layout', () => {
    const sentence = /The layout: ([a-z0-9, -]+)\./.exec(text.replaceAll(/\n +# /g, ' '))
    expect(sentence?.[1]?.split(/, | or /).sort()).toEqual([...formatNames].sort())
  })
})
