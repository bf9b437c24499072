import { type Profiler, type Runtime, Session } from 'node:inspector/promises'
import { Feed } from './feed.ts'
import type { Figure } from './figures.ts'
import type { Progress } from './progress.ts'
import { busyDensity, makeRecords, type Shape } from './records.ts'

const startMs = Date.UTC(2026, 10, 21, 12, 0, 0)
const samplingMicros = 200
const warmUpRounds = 3

/** What a sample of the profiler is counted under, from the innermost frame outwards. */
const places: readonly (readonly [place: string, isIt: (frame: Runtime.CallFrame) => boolean])[] = [
  ['garbage collection', (frame) => frame.functionName === '(garbage collector)'],
  ['core: framing, scan, names', ({ url }) => url.startsWith('wasm:') || url.includes('/src/core/')],
  ['source: headers, checksums, codecs', (frame) => frame.url.includes('/src/source/')],
  ['JSON.parse', (frame) => /\/decode\/open\.[jt]s$/.test(frame.url) && frame.functionName === 'parse'],
  ['bytes to text (UTF-8)', (frame) => frame.url === 'node:internal/encoding'],
  ['decode: the fields of the layout', (frame) => frame.url.includes('/src/decode/')],
  ['classify: the cause of a refusal', (frame) => frame.url.includes('/src/classify/')],
  ['window: series, slices, watermark', (frame) => frame.url.includes('/src/window/')],
  ['intake: from a record to counts', (frame) => /\/history\/intake\.[jt]s$/.test(frame.url)],
  ['history: the range that will land', (frame) => frame.url.includes('/src/history/')],
  ['pipeline, and what else binds the stages', (frame) => frame.url.includes('/src/')],
]
const elsewhere = 'elsewhere'
/** Frames that are not ours: the profiler itself, and waiting. */
const leftOut = new Set(['(idle)', 'dispatch'])

/** Where the time of "batch bytes to counters" goes, by V8's sampling profiler; the making of the records is left out. */
export async function profileFigure(
  shape: Shape,
  { rounds, count, progress }: { rounds: number; count: number; progress: Progress },
): Promise<Figure> {
  const session = new Session()
  session.connect()
  await session.post('Profiler.enable')
  await session.post('Profiler.setSamplingInterval', { interval: samplingMicros })
  const feed = await Feed.open()
  const micros = new Map<string, number>()
  for (let round = 0; round < warmUpRounds + rounds; round++) {
    const at = startMs + (round * count * 1_000) / busyDensity
    const batches = feed.batches(makeRecords({ shape, count, seed: round, startMs: at }))
    if (round >= warmUpRounds) await session.post('Profiler.start')
    await feed.take(batches)
    if (round >= warmUpRounds) addSamples(micros, (await session.post('Profiler.stop')).profile)
    progress.step()
  }
  session.disconnect()
  return figureOf(shape, micros)
}

function addSamples(micros: Map<string, number>, profile: Profiler.Profile): void {
  const parents = new Map<number, Profiler.ProfileNode>()
  for (const node of profile.nodes) for (const child of node.children ?? []) parents.set(child, node)
  const placeById = new Map(profile.nodes.map((node) => [node.id, placeOf(node, parents)]))
  const outside = new Set(profile.nodes.filter((node) => leftOut.has(node.callFrame.functionName)).map(({ id }) => id))
  for (const [i, id] of (profile.samples ?? []).entries()) {
    if (outside.has(id)) continue
    const place = placeById.get(id) ?? elsewhere
    micros.set(place, (micros.get(place) ?? 0) + (profile.timeDeltas?.[i] ?? 0))
  }
}

/** Built-in functions and regular expressions have no file: their time belongs to whoever called them. */
function placeOf(node: Profiler.ProfileNode, parents: ReadonlyMap<number, Profiler.ProfileNode>): string {
  for (let at: Profiler.ProfileNode | undefined = node; at !== undefined; at = parents.get(at.id)) {
    const { callFrame } = at
    const found = places.find(([, isIt]) => isIt(callFrame))
    if (found !== undefined) return found[0]
  }
  return elsewhere
}

function figureOf(shape: Shape, micros: ReadonlyMap<string, number>): Figure {
  const total = [...micros.values()].reduce((sum, value) => sum + value, 0)
  const shares = [...micros]
    .map(([place, value]) => ({ place, share: value / total }))
    .sort((a, b) => b.share - a.share)
  return {
    title: `Where the time goes, ${shape}`,
    note: 'Self time of "Batch bytes to counters" on the main thread, uncompressed, by a sampling profiler.',
    columns: ['', 'share'],
    rows: shares.map(({ place, share }) => [place, `${(share * 100).toFixed(1)} %`]),
    data: shares,
  }
}
