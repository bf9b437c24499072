import { sparkPoints } from './spark-points.ts'

const width = 90
const height = 22

/**
 * The course of a small series as a line over its area; the scale is its own. Decoration beside numbers that say the
 * same, but with words for those who cannot see it.
 */
export function Sparkline({ values, label }: { readonly values: readonly number[]; readonly label: string }) {
  if (values.length < 2) return null
  const line = sparkPoints(values, { width, height })
  return (
    <svg class="sparkline" viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      <polygon points={`0,${height} ${line} ${width},${height}`} />
      <polyline points={line} />
    </svg>
  )
}
