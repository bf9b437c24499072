/**
 * The value of one sample on a metrics page in Prometheus' text format, or null where there is none.
 *
 * @param labels what the sample must carry; it may carry more
 */
export function sampleOf(page: string, name: string, labels: Readonly<Record<string, string>> = {}): number | null {
  for (const line of page.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line)
    if (found?.[1] !== name) continue
    const has = new Map([...(found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map((pair) => [pair[1], pair[2]]))
    if (Object.entries(labels).every(([label, value]) => has.get(label) === value)) return Number(found[3])
  }
  return null
}
