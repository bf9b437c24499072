import { expect, test } from 'vitest'
import { Turns } from '../../src/history/turns.ts'

test('Turns run so many at once, begin the others in order, and go on after a failure', async () => {
  const turns = new Turns(2)
  const log: string[] = []
  const ends: (() => void)[] = []
  const all = ['a', 'b', 'c', 'd'].map((name, i) =>
    turns
      .take(async () => {
        log.push(name)
        await new Promise<void>((resolve, reject) => ends.push(i === 0 ? () => reject(new Error(name)) : resolve))
        return name
      })
      .catch((error: Error) => `failed ${error.message}`),
  )
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  await settled()
  expect(log).toEqual(['a', 'b'])
  ends[0]?.()
  await settled()
  expect(log).toEqual(['a', 'b', 'c'])
  ends[2]?.()
  await settled()
  expect(log).toEqual(['a', 'b', 'c', 'd'])
  ends[1]?.()
  ends[3]?.()
  expect(await Promise.all(all)).toEqual(['failed a', 'b', 'c', 'd'])
  expect(await turns.take(async () => 'again')).toBe('again')
})
