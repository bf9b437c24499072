import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { apiEndpoints } from '../../src/http/api.ts'
import { LiveStream } from '../../src/http/live-stream.ts'
import { worldDeps } from '../http/support/world.ts'
import { blocks, pages, project } from './pages.ts'

const all = pages()
const golden = join(project, 'test/golden/cli')
/** Help texts by command, such as `query summary`; `test/cli/program.test.ts` keeps them true. */
const help = new Map(
  readdirSync(golden)
    .filter((name) => name.startsWith('tollwatch'))
    .map((name) => [name.replace(/^tollwatch-?|\.txt$/g, ''), readFileSync(join(golden, name), 'utf8')]),
)

/** Lines that a reader may copy, and commands in the running text. */
const lines = all.flatMap((page) => [
  ...blocks(page)
    .filter(({ language }) => language === '')
    .flatMap(({ text }) => text.split('\n').map((line) => ({ page: page.name, line: line.replace(/\s#\s.*$/, '') }))),
  ...[...page.text.matchAll(/`((?:npx |npm )[^`\n]+)`/g)].map(([, line = '']) => ({ page: page.name, line })),
])

describe('Commands in the pages', () => {
  const calls = lines.filter(({ line }) => /\btollwatch [a-z]/.test(line))

  test('are there', () => {
    expect(calls.length).toBeGreaterThan(15)
    expect(help.size).toBeGreaterThan(20)
  })

  test.each(calls)('exist with their flags: $page: $line', ({ line }) => {
    const words = line.slice(line.indexOf('tollwatch ') + 10).split(/\s+/)
    const name = [3, 2, 1].map((count) => words.slice(0, count).join('-')).find((one) => help.has(one))
    expect(name, `no command in "${line}"`).toBeDefined()
    const text = help.get(name ?? '') ?? ''
    for (const flag of line.match(/(?<=\s)--?[a-z][a-z-]*/g) ?? [])
      expect(text).toMatch(new RegExp(`(?<![\\w-])${flag}(?![\\w-])`))
  })

  test('of npm are scripts', () => {
    const scripts = Object.keys(JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')).scripts)
    const named = lines.flatMap(({ line }) => [...line.matchAll(/\bnpm (?:run )?([a-z:-]+)/g)].map(([, name]) => name))
    const asked = named.filter((name) => !['ci', 'install'].includes(name ?? ''))
    expect(asked.length).toBeGreaterThan(5)
    for (const name of asked) expect(scripts).toContain(name)
  })

  test('of the changelog are all there are', () => {
    const text = all.find(({ name }) => name === 'CHANGELOG.md')?.text ?? ''
    const list = /- Commands: ([\s\S]*?)\.\n/.exec(text)?.[1] ?? ''
    const told = [...list.matchAll(/`([a-z -]+)`/g)].map(([, name]) => name?.split(' ')[0])
    const overview = help.get('') ?? ''
    const known = [...overview.slice(overview.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)].map(
      ([, name]) => name,
    )
    expect([...new Set(told)].sort()).toEqual(known.filter((name) => name !== 'help').sort())
  })
})

describe('Requests in the pages', () => {
  const urls = lines.flatMap(({ line }) =>
    [...line.matchAll(/http:\/\/127\.0\.0\.1:8402(\/[^\s'"]*)/g)].map(([, url]) => url ?? ''),
  )

  const parts = { title: '', live: new LiveStream(worldDeps()), closing: new AbortController().signal }
  const endpoints = apiEndpoints(parts)

  test.each(urls)('are answered: %s', (url) => {
    const { pathname, searchParams } = new URL(url, 'http://127.0.0.1:8402')
    const endpoint = endpoints.find(({ path }) => path === pathname)
    expect(endpoint?.input.safeParse(Object.fromEntries(searchParams))).toMatchObject({ success: true })
  })

  test('are there', () => {
    expect(urls.length).toBeGreaterThan(4)
  })
})
