const blocks = '▁▂▃▄▅▆▇█'
const most = 60

/**
 * Counts as a line of blocks, the oldest first: the largest is a whole block, and only nothing has the lowest. Where
 * there are more than 60, neighbours are added up.
 */
export function sparkline(counts: readonly number[]): string {
  const bars = narrowed(counts)
  const largest = Math.max(...bars, 0)
  const height = (count: number) => (count <= 0 ? 0 : Math.ceil((count / largest) * (blocks.length - 1)))
  return bars.map((count) => blocks[height(count)]).join('')
}

function narrowed(counts: readonly number[]): readonly number[] {
  const width = Math.ceil(counts.length / most)
  if (width <= 1) return counts
  const bars = Array.from({ length: Math.ceil(counts.length / width) }, (_, i) =>
    counts.slice(i * width, (i + 1) * width),
  )
  return bars.map((bar) => bar.reduce((sum, count) => sum + count, 0))
}
