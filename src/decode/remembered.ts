const most = 2_000
const longest = 100

/**
 * A function of texts that remembers what it gave for short ones. For the few keys and words that come with record after
 * record; when more of them have come than can be kept, it begins anew.
 */
export function remembered<T extends string | number | object | null>(work: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    if (text.length > longest) return work(text)
    if (known.size >= most) known.clear()
    // A text cut out of a long one would keep all of that in memory.
    const own = JSON.parse(JSON.stringify(text)) as string
    const given = work(own)
    known.set(own, given)
    return given
  }
}
