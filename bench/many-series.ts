import { Lifetime } from '../src/window/lifetime.ts'
import { sliceMs } from '../src/window/view.ts'
import { Windows } from '../src/window/windows.ts'

const apisPerTenant = 500
const minuteSlices = 6
const hourSlices = 360

/** Windows that hold an hour of many series. */
export interface ManySeries {
  readonly windows: Windows
  readonly lifetime: Lifetime
  /** Exclusive end of the newest closed slice. */
  readonly endMs: number
  readonly series: number
}

/**
 * Makes windows with that many series, each with a request in every minute of the last hour and in the slices ahead. The
 * hour passes as it does in life, slice by slice.
 *
 * @param refusedSeries share of the series that have refusals: two causes each
 * @param endMs a minute boundary where the closed slices end
 */
export function manySeries(options: { series: number; refusedSeries: number; endMs: number }): ManySeries {
  const { series: count, endMs } = options
  const lifetime = new Lifetime(count)
  const windows = new Windows({ seriesLimit: count, seriesLimitPerTenant: apisPerTenant, lifetime })
  const end = endMs / sliceMs
  windows.openAt((end - hourSlices) * sliceMs)
  const all = Array.from({ length: count }, (_, i) =>
    windows.series(ownText(`tenant-${Math.floor(i / apisPerTenant)}`), ownText(`api-${i % apisPerTenant}`)),
  )
  const every = options.refusedSeries > 0 ? Math.round(1 / options.refusedSeries) : 0
  for (let slice = end - hourSlices; slice < end + minuteSlices; slice++) {
    for (const _ of windows.advanceTo(Math.min(slice, end) * sliceMs)) {
      // Nobody listens: the windows are to be full, nothing more.
    }
    for (let i = (slice - end + hourSlices) % minuteSlices; i < count; i += minuteSlices) {
      const series = all[i]
      if (series === undefined) continue
      const hasRefusals = every > 0 && i % every === 0
      const cause = hasRefusals ? Math.floor(slice / minuteSlices + i) % 2 : -1
      windows.count(series, slice, cause)
      lifetime.count(series.total, cause)
    }
  }
  return { windows, lifetime, endMs, series: count }
}

/** Text with a memory of its own, as it comes out of a parsed record. */
function ownText(text: string): string {
  return Buffer.from(text).toString()
}
