import { Session } from 'node:inspector/promises'
import { writeFileSync } from 'node:fs'
import { allVariants } from './bytes.ts'
import { makeRecords, recordsPerSecond, type Shape } from './records.ts'
import { startCost } from './measure.ts'
const shape = process.argv[2] as Shape
const which = Number(process.argv[3])
const rounds = Number(process.argv[4] ?? 8)
const count = Number(process.argv[5] ?? 20000)
const all = Array.from({length: rounds}, (_, r) => makeRecords({ shape, count, seed: 402 + r, startMs: Date.UTC(2026,10,21,12) + r * count * 1000 / recordsPerSecond }))
const v = (await allVariants(shape))[which]!
const s = new Session(); s.connect()
await s.post('Profiler.enable'); 
await s.post('Profiler.setSamplingInterval', { interval: 200 })
const rates: string[] = []
for (const [i, r] of all.entries()) {
  if (i === 2) await s.post('Profiler.start')
  v.prepare(r)
  if (i < 2) globalThis.gc?.()
  const end = startCost()
  await v.run(r)
  const c = end()
  rates.push((count / c.cpuMs).toFixed(1))
}
console.log(shape, v.name, all[0]!.bytes / count, all[0]!.series, rates.join(' '), 'k/cpus')
const { profile } = await s.post('Profiler.stop')
writeFileSync('/tmp/p.cpuprofile', JSON.stringify(profile))
