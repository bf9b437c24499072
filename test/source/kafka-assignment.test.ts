import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decodeMember,
  decodeShare,
  encodeMember,
  encodeShare,
  type Member,
  shareOut,
} from '../../src/source/kafka-assignment.ts'

const member = (id: string, more: Partial<NonNullable<Member['facts']>> = {}, topics = ['logs']): Member => ({
  id,
  topics,
  facts: { mode: 'single', instance: '', host: `${id}.example.org`, reads: false, ...more },
})
const logs = new Map([['logs', [0, 1, 2, 3]]])

describe('shareOut', () => {
  test('gives all to one in mode single, and to the same one while it stays', () => {
    const first = shareOut('single', [member('b'), member('a')], logs)
    expect(first.get('a')?.partitions).toEqual(logs)
    expect(first.get('b')?.partitions.size).toBe(0)
    expect(first.get('b')?.readers).toEqual(['on a.example.org (a)'])
    const later = shareOut('single', [member('a'), member('b', { reads: true })], logs)
    expect(later.get('b')?.partitions).toEqual(logs)
  })

  test('deals out every partition once in mode keyed, whoever is there', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z]{1,5}$/), { minLength: 1 }), fc.nat(20), (names, count) => {
        const partitions = Array.from({ length: count }, (_, i) => i)
        const members = names.map((name) => member(name, { mode: 'keyed', instance: name }))
        const shares = [...shareOut('keyed', members, new Map([['logs', partitions]])).values()]
        const dealt = shares.flatMap((share) => share.partitions.get('logs') ?? [])
        expect(dealt.sort((a, b) => a - b)).toEqual(partitions)
        const sizes = shares.map((share) => share.partitions.get('logs')?.length ?? 0)
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('refuses the second of a name, which is not the one that reads, and leaves nothing unread', () => {
    const members = [
      member('a', { instance: 'x' }),
      member('b', { instance: 'x', reads: true }),
      member('c', { instance: 'y' }),
    ]
    const shares = shareOut('keyed', members, logs)
    expect(shares.get('a')?.refused).toContain('has the name "x" too')
    expect(shares.get('a')?.partitions.size).toBe(0)
    expect(['b', 'c'].map((id) => shares.get(id)?.partitions.get('logs')?.length)).toEqual([2, 2])
  })

  test('gives a topic only to those who want it', () => {
    const shares = shareOut('single', [member('a', {}, ['other']), member('b')], logs)
    expect(shares.get('a')?.partitions.size).toBe(0)
    expect(shares.get('b')?.partitions).toEqual(logs)
  })
})

describe('What members tell each other', () => {
  test('comes back as it went', () => {
    const { facts, topics } = member('a', { instance: 'x', reads: true })
    if (facts === null) throw new Error('there are facts')
    expect(decodeMember('a', encodeMember({ topics, facts }))).toEqual({ id: 'a', topics, facts })
    const share = { partitions: logs, readers: ['x'], members: 2, refused: null }
    expect(decodeShare(encodeShare(share))).toEqual(share)
    expect(decodeShare(Buffer.alloc(0)).partitions.size).toBe(0)
  })

  test('is not taken for ours when it comes from another program', () => {
    const other = Buffer.concat([Buffer.from([0, 1, 0, 0, 0, 1, 0, 4]), Buffer.from('logs'), Buffer.from([0, 0, 0, 0])])
    expect(decodeMember('a', other)).toEqual({ id: 'a', topics: ['logs'], facts: null })
  })
})
