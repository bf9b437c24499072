import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { progressOn } from '../../src/cli/progress.ts'
import { ManualClock } from '../../src/time/clock.ts'

/** Does work of a hundred steps, each of which takes so long, and says what stderr was told. */
async function told(stepMs: number, isTTY: boolean): Promise<string> {
  const clock = new ManualClock(0)
  const stderr = Object.assign(new PassThrough(), { isTTY })
  const progress = progressOn({ stdin: new PassThrough(), stdout: new PassThrough(), stderr }, 'backtest', 100, clock)
  for (let step = 0; step < 100; step++) {
    await clock.advance(stepMs)
    progress.advance(1)
  }
  progress.done()
  return String(stderr.read() ?? '')
}

describe('progress', () => {
  it('is a line at each tenth where there is no terminal', async () => {
    const lines = (await told(3_000, false)).split('\n')
    expect(lines).toHaveLength(10)
    expect(lines[0]).toBe('backtest: 10 % after 30 s, some 5 min left')
    expect(lines[8]).toBe('backtest: 90 % after 5 min, some 30 s left')
  })

  it('leaves tenths out that pass too quickly, and says nothing of short work', async () => {
    expect((await told(600, false)).split('\n')).toHaveLength(5)
    expect(await told(90, false)).toBe('')
  })

  it('is a bar with the time that is left on a terminal', async () => {
    const bar = await told(0, true)
    expect(bar).toMatch(/backtest .*█/)
    expect(bar).toContain('left')
    expect(bar).toContain('100 %')
  })
})
