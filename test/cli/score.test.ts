import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { afterAll, describe, expect, it } from 'vitest'
import { parseCsv, type ScoreCommandOptions, scoreCommand } from '../../src/cli/score.ts'
import { Chance } from '../alert/simulation.ts'

const folder = mkdtempSync(join(tmpdir(), 'tollwatch-score-'))
afterAll(() => rmSync(folder, { recursive: true }))
const startMs = Date.UTC(2026, 2, 2)

function score(text: string, options: Partial<ScoreCommandOptions> = {}) {
  const csv = join(folder, 'series.csv')
  writeFileSync(csv, text)
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  const code = scoreCommand({ csv, ...options }, { stdin, stdout, stderr })
  return { code, out: String(stdout.read() ?? ''), err: String(stderr.read() ?? '') }
}

type Line = { time: string; count: number; expected: number; upper: number; p_value: number; fired: boolean }

function scored(text: string, options: Partial<ScoreCommandOptions> = {}): Line[] {
  const { code, out, err } = score(text, { ...options, json: true })
  if (code !== 0) throw new Error(err)
  return out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

function series(rows: number, stepMs: number, at: (row: number) => string | number): string {
  const lines = Array.from({ length: rows }, (_, row) => `${new Date(startMs + row * stepMs).toISOString()},${at(row)}`)
  return `time,count,exposure\n${lines.join('\n')}\n`
}

function firedRows(lines: readonly Line[]): number[] {
  return lines.flatMap(({ fired }, at) => (fired ? [at] : []))
}

describe('score', () => {
  it('fires within two lines of a tenfold rise in counts a minute, and stops soon after it', () => {
    const chance = new Chance(1)
    const lines = scored(series(600, 60_000, (row) => chance.poisson(row >= 400 && row < 430 ? 20 : 2)))
    const fired = firedRows(lines)
    expect(lines).toHaveLength(600)
    expect(fired[0]).toBeGreaterThanOrEqual(400)
    expect(fired[0]).toBeLessThanOrEqual(402)
    expect(fired.at(-1)).toBeLessThan(438)
    expect(lines[399]).toMatchObject({ time: '2026-03-02T06:39:00.000Z', fired: false })
    expect(lines[399]?.expected).toBeCloseTo(2, 0)
    expect(lines[fired[0] ?? 0]?.p_value).toBeLessThan(1e-4)
  })

  it('takes exposure into account: the traffic of a day alone is no spike', () => {
    const chance = new Chance(2)
    const lines = scored(
      series(2 * 1440, 60_000, (row) => {
        const requests = Math.round(1000 * (1 + 0.8 * Math.sin((row / 1440) * 2 * Math.PI)))
        return `${chance.poisson(requests * (row === 2000 ? 0.1 : 0.005))},${requests}`
      }),
    )
    expect(firedRows(lines)[0]).toBe(2000)
    expect(firedRows(lines).length).toBeLessThan(8)
  })

  it('keeps quiet on four weeks of plain Poisson counts at each level', () => {
    for (const mean of [0.1, 2, 50]) {
      const chance = new Chance(mean * 10)
      expect(firedRows(scored(series(4 * 2016, 300_000, () => `${chance.poisson(mean)},`)))).toEqual([])
    }
  })

  it('looks down when asked', () => {
    const chance = new Chance(3)
    const text = series(400, 300_000, (row) => chance.poisson(row >= 300 ? 1 : 40))
    expect(firedRows(scored(text))).toEqual([])
    expect(firedRows(scored(text, { direction: 'down' }))[0]).toBe(300)
  })

  it('has an upper bound that tells normal lines from others where a line is a window', () => {
    const chance = new Chance(4)
    const lines = scored(series(300, 300_000, (row) => chance.poisson(row === 250 ? 60 : 5)))
    const [at] = firedRows(lines)
    expect(at).toBe(250)
    expect(lines[250]?.count).toBeGreaterThan(lines[250]?.upper ?? Number.POSITIVE_INFINITY)
    for (const line of lines.slice(0, 250)) expect(line.count).toBeLessThanOrEqual(line.upper)
  })

  it('prints a table for people and a sum on stderr', () => {
    const { out, err, code } = score(series(3, 60_000, () => 1))
    expect(code).toBe(0)
    expect(out).toMatch(/^time +count +expected +upper +p\n2026-03-02T00:00:00\.000Z +1 /)
    expect(err).toBe('3 rows, 0 of them in 0 alerts\n')
  })

  it('names every bad argument and line with its fix', () => {
    const { code, err } = score('a,b\n1,2\n2026-03-02,-1\n', {
      window: 'soon',
      direction: 'left',
      falseAlertsPerWeek: 'few',
    })
    expect(code).toBe(2)
    expect(err.split('\n').filter((line) => line.includes('Fix:'))).toHaveLength(6)
  })

  it('says so when there is no such file', () => {
    const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
    expect(scoreCommand({ csv: join(folder, 'nope.csv') }, { stdin, stdout, stderr })).toBe(2)
  })
})

describe('parseCsv', () => {
  it.each([
    ['2026-03-02T00:00:00Z,3', { timeMs: startMs, count: 3, exposure: null }],
    ['"2026-03-02 00:00:00","3","100"', { timeMs: startMs, count: 3, exposure: 100 }],
    ['timestamp,value\n2026-03-02 00:00:00,3.5', { timeMs: startMs, count: 3.5, exposure: null }],
    ['requests,x,time,count\r\n9,,1772409600,3\r\n', { timeMs: startMs, count: 3, exposure: 9 }],
    ['\uFEFFtime,count\n1772409600000,3', { timeMs: startMs, count: 3, exposure: null }],
  ])('reads %j', (text, row) => {
    expect(parseCsv(text)).toEqual({ rows: [row], problems: [] })
  })

  it.each(['1772409600,1\n1772409600,1', 'time,count\n', '1772409600,x', '1772409600,1,-5'])(
    'objects to %j',
    (text) => {
      expect(parseCsv(text).problems).toHaveLength(1)
    },
  )
})
