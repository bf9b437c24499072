import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { completed, type LockFile } from '../../scripts/lockfile.ts'

describe('the lock file', () => {
  const lock = (optional: Record<string, string>): LockFile => ({
    lockfileVersion: 3,
    packages: { '': {}, 'node_modules/tool': { version: '2.0.0', dev: true, optionalDependencies: optional } },
  })

  test('is completed with platform packages that the registry lacked, once', () => {
    const { lock: after, added } = completed(
      lock({ '@tool/lib-linux-arm64-musl': '2.0.0', '@tool/lib-darwin-x64': '2.0.0-rc.1' }),
    )
    expect(added).toEqual(['@tool/lib-linux-arm64-musl', '@tool/lib-darwin-x64'])
    expect(Object.keys(after.packages)).toEqual([
      '',
      'node_modules/@tool/lib-darwin-x64',
      'node_modules/@tool/lib-linux-arm64-musl',
      'node_modules/tool',
    ])
    expect(after.packages['node_modules/@tool/lib-linux-arm64-musl']).toEqual({
      version: '2.0.0',
      cpu: ['arm64'],
      dev: true,
      libc: ['musl'],
      optional: true,
      os: ['linux'],
    })
    expect(completed(after).added).toEqual([])
  })

  test('is not guessed at where the platform or the version cannot be told', () => {
    expect(() => completed(lock({ 'fast-thing': '1.0.0' }))).toThrow('fast-thing@1.0.0')
    expect(() => completed(lock({ 'thing-linux-x64': '^1.0.0' }))).toThrow('add it by hand')
  })

  test('of this project is complete (else: npm run lockfile)', () => {
    const ours = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8')) as LockFile
    expect(completed(ours).added).toEqual([])
  })
})
