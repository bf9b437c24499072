import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { advance, type Lifecycle } from '../../src/alert/lifecycle.ts'

const minute = 60_000

function play(steps: string, { forMs = 0, keepFiringForMs = 0 } = {}): string {
  let clocks: Lifecycle | null = null
  let states = ''
  for (const letter of steps) {
    // x: met · c: calm · -: neither
    const input = { met: letter === 'x', calm: letter === 'c', elapsedMs: minute, forMs, keepFiringForMs }
    clocks = advance(clocks, input)
    states += clocks === null ? '.' : clocks.state === 'pending' ? 'p' : clocks.state === 'firing' ? 'F' : 'r'
  }
  return states
}

describe('advance', () => {
  it('fires at once without for', () => {
    expect(play('cx-xc')).toBe('.FFFr')
  })

  it('fires when the condition has been met for as long as for says', () => {
    expect(play('xxxx', { forMs: 3 * minute })).toBe('pppF')
  })

  it('starts waiting anew when the condition fails in between', () => {
    expect(play('xx-xxxx', { forMs: 2 * minute })).toBe('pp.ppFF')
  })

  it('keeps firing for as long as it says, counted from the first calm step', () => {
    expect(play('xcccc', { keepFiringForMs: 3 * minute })).toBe('FFFFr')
  })

  it('keeps anew after every relapse', () => {
    expect(play('xcc-cccc', { keepFiringForMs: 3 * minute })).toBe('FFFFFFFr')
  })

  it('begins a new episode from resolved', () => {
    expect(play('xcxc')).toBe('FrFr')
    expect(play('xxccxx', { forMs: minute })).toBe('pFrrpF')
  })

  it('resolves only after enough calm time in a row, and fires only after enough met time in a row', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('x', 'c', '-'), { maxLength: 60 }),
        fc.integer({ min: 0, max: 5 }),
        fc.integer({ min: 0, max: 5 }),
        (letters, wait, keep) => {
          const states = play(letters.join(''), { forMs: wait * minute, keepFiringForMs: keep * minute })
          for (let at = 0; at < states.length; at++) {
            const before = states[at - 1] ?? '.'
            if (states[at] === 'F' && before !== 'F') {
              expect(letters.slice(at - wait, at + 1)).toEqual(Array(wait + 1).fill('x'))
            }
            if (states[at] === 'r' && before === 'F') {
              expect(letters.slice(at - keep, at + 1)).toEqual(Array(keep + 1).fill('c'))
            }
            if (before === 'F') expect(states[at]).toMatch(/[Fr]/)
          }
        },
      ),
    )
  })
})
