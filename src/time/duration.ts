const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const

export const secondMs = unitMs.s
export const minuteMs = unitMs.m
export const hourMs = unitMs.h
export const dayMs = unitMs.d

/**
 * Reads a duration such as `10s`, `5m`, `1h30m` or `1d`.
 *
 * @returns milliseconds, or null when the text is no duration
 */
export function parseDuration(text: string): number | null {
  const parts = [...text.trim().matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)]
  if (parts.length === 0 || parts.map((part) => part[0]).join('') !== text.trim()) return null
  let total = 0
  for (const part of parts) total += Number(part[1]) * unitMs[part[2] as keyof typeof unitMs]
  return total
}

/** Writes milliseconds the way settings say them: `90s` as `1m30s`, `3600000` as `1h`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s'
  let rest = ms
  let text = ''
  for (const unit of ['d', 'h', 'm', 's', 'ms'] as const) {
    const count = Math.floor(rest / unitMs[unit])
    if (count > 0) {
      text += `${count}${unit}`
      rest -= count * unitMs[unit]
    }
  }
  return text
}
