/** `2026-11-21 14:00:00.123`, which every version reads into a DateTime64 as it stands. */
export function clickhouseTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 23).replace('T', ' ')
}
