import { describe, expect, test } from 'vitest'
import { type Safeguards, World } from './simulator.ts'

/** Runs one history of crashes to its end. @returns what the audit found */
async function survive(seed: number, safeguards?: Safeguards): Promise<string[]> {
  const world = new World(seed, safeguards)
  const life = { deaths: 6 }
  for (;;) {
    const { done, pipeline } = await world.live(life)
    if (done) return world.audit(pipeline)
  }
}

async function failures(seeds: number, safeguards?: Safeguards): Promise<{ seed: number; problems: string[] }[]> {
  const found: { seed: number; problems: string[] }[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const problems = await survive(seed, safeguards)
    if (problems.length > 0) found.push({ seed, problems })
  }
  return found
}

describe('Pipeline under crashes at every step', () => {
  test('keeps history exact and the windows equal to a recount', { timeout: 120_000 }, async () => {
    expect(await failures(300)).toEqual([])
  })

  test('would count twice without intents: the audit can fail', { timeout: 60_000 }, async () => {
    expect((await failures(40, { intents: false, tokens: true })).length).toBeGreaterThan(0)
  })

  test('would count twice without tokens: the audit can fail', { timeout: 60_000 }, async () => {
    expect((await failures(40, { intents: true, tokens: false })).length).toBeGreaterThan(0)
  })
})
