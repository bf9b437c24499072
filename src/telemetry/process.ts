import type { EpochMs } from '../time/clock.ts'
import { type Family, single } from './family.ts'

/** What the process says about itself, under the names Prometheus users know. */
export function processFamilies(self: { readonly version: string; readonly startedMs: EpochMs }): readonly Family[] {
  const cpu = process.cpuUsage()
  const memory = process.memoryUsage()
  return [
    {
      name: 'tollwatch_build_info',
      help: 'Always 1; the labels tell what runs.',
      kind: 'gauge',
      points: [{ labels: { version: self.version, node: process.versions.node }, value: 1 }],
    },
    single('gauge', 'process_start_time_seconds', 'When the process started, Unix time.', self.startedMs / 1_000),
    single('counter', 'process_cpu_seconds_total', 'CPU time used, user and system.', (cpu.user + cpu.system) / 1e6),
    single('gauge', 'process_resident_memory_bytes', 'Memory held by the process.', memory.rss),
    single('gauge', 'nodejs_heap_used_bytes', 'JavaScript heap in use.', memory.heapUsed),
  ]
}
