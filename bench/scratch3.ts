import { writeFileSync } from 'node:fs'
import { Session } from 'node:inspector/promises'
import { createDecoder } from '../src/decode/create.ts'
import { readingOf } from '../src/config/reading.ts'
import { config, Arrivals, NoHistory, buildPipeline } from './daemon.ts'
import { makeRecords, recordsPerSecond, type Shape } from './records.ts'
import { startCost } from './measure.ts'
import { Windows } from '../src/window/windows.ts'
import { Lifetime } from '../src/window/lifetime.ts'
import { RangeBuilder } from '../src/history/range.ts'
import { causes } from '../src/classify/cause.ts'
import type { Decoded } from '../src/decode/decode.ts'
const shape = process.argv[2] as Shape
const mode = process.argv[3] ?? 'dec'
const rounds = 12, count = 20000
const s = new Session(); s.connect(); await s.post('Profiler.enable'); await s.post('Profiler.setSamplingInterval', { interval: 100 })
const reading = readingOf(config)
const decoder = createDecoder(config.decode)
let counted = 0
const windows = new Windows({ seriesLimit: 1e5, seriesLimitPerTenant: 1000, lifetime: new Lifetime(1e5) })
const rates: string[] = []
if (process.argv[4]) await s.post('Profiler.start')
for (let r = 0; r < rounds; r++) {
  const recs = makeRecords({ shape, count, seed: 402 + r, startMs: Date.UTC(2026,10,21,12) + r * count * 1000 / recordsPerSecond })
  const decoded: (readonly Decoded[])[] = mode === 'dec' ? [] : recs.values.map((v) => decoder.decode(v))
  globalThis.gc?.()
  const builder = new RangeBuilder(0, 0)
  const end = startCost()
  for (let i = 0; i < count; i++) {
    const list = mode === 'dec' ? decoder.decode(recs.values[i]!) : decoded[i]!
    for (const e of list) {
      if (e.kind !== 'record') continue
      const rec = e.record
      if (mode === 'dec') { counted += rec.status === 402 ? 1 : 0; continue }
      const j = reading.judge(rec)
      if (mode === 'judge') { counted += j === null ? 0 : 1; continue }
      const t = rec.timeMs!
      const slice = Math.floor(t / 10000)
      if (windows.endMs === null) windows.openAt(t - 60000)
      const series = windows.series(rec.tenant!, rec.api!)
      if (mode === 'series') continue
      const cause = j === null ? -1 : causes.indexOf(j.cause)
      windows.add(series, slice, { requests: 1, refusals: cause < 0 ? 0 : 1, cause })
      if (mode === 'add') continue
      builder.count(t, slice, series, rec.status, cause, false)
    }
  }
  if (mode === 'seal') builder.seal({ source: 'x', lane: 0, configHash: '' })
  for (const _ of windows.advanceTo(recs.timesMs.at(-1)! - 30000)) {}
  const c = end()
  rates.push((c.cpuMs / count * 1000).toFixed(2))
}
console.log(shape, mode, 'us/rec', rates.join(' '), counted)
if (process.argv[4]) { const { profile } = await s.post('Profiler.stop'); writeFileSync('/tmp/p.cpuprofile', JSON.stringify(profile)) }
