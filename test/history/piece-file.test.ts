import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { asFile } from '../../src/history/piece-file.ts'
import { tempDir } from '../support/run-context.ts'

const pieces = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)]

describe.each([
  { nameless: false, runs: true },
  { nameless: true, runs: process.platform === 'linux' },
])('asFile, nameless $nameless', ({ nameless, runs }) => {
  test.runIf(runs)('gives all pieces as one file, more than once, and leaves none', async () => {
    const directory = tempDir('pieces')
    const seen = await asFile(
      directory,
      pieces,
      async (path) => {
        expect(readdirSync(directory)).toHaveLength(nameless ? 0 : 1)
        return [path, [...readFileSync(path)], [...readFileSync(path)]]
      },
      nameless,
    )
    expect(seen.slice(1)).toEqual([
      [1, 2, 3],
      [1, 2, 3],
    ])
    expect(readdirSync(directory)).toEqual([])
    expect(nameless || !existsSync(String(seen[0]))).toBe(true)
  })

  test.runIf(runs)('leaves none where its use or the making of a piece fails', async () => {
    const directory = tempDir('pieces')
    const refuse = () => Promise.reject(new Error('refused'))
    await expect(asFile(directory, pieces, refuse, nameless)).rejects.toThrow('refused')
    function* broken(): Generator<Uint8Array> {
      yield Uint8Array.of(1)
      throw new Error('broken')
    }
    await expect(asFile(directory, broken(), async () => {}, nameless)).rejects.toThrow('broken')
    expect(readdirSync(directory)).toEqual([])
  })
})
