/**
 * The JSON objects of a text in which they follow each other with nothing or blanks between, as Amazon Data Firehose
 * delivers them; the last may be cut. Null when the text is not made like that. Takes time linear in the text.
 */
export function concatenated(text: string): readonly string[] | null {
  if (!text.startsWith('{')) return null
  const pieces: string[] = []
  for (let start = 0; start < text.length; ) {
    const end = endOfObject(text, start)
    // A cut object alone is no list.
    if (end < 0 && pieces.length === 0) return null
    pieces.push(text.slice(start, end < 0 ? text.length : end))
    if (end < 0) break
    start = end
    while (isBlankAt(text, start)) start++
    if (start < text.length && text[start] !== '{') return null
  }
  return pieces.length > 1 ? pieces : null
}

/** The position behind the object that begins at `start`; -1 when it has no end. */
function endOfObject(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const char = text[i]
    if (char === '"') {
      i = endOfString(text, i)
      if (i < 0) return -1
    } else if (char === '{') {
      depth++
    } else if (char === '}' && --depth === 0) {
      return i + 1
    }
  }
  return -1
}

/** The position of the closing quote; -1 when there is none. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === '\\') i++
    else if (text[i] === '"') return i
  }
  return -1
}

function isBlankAt(text: string, at: number): boolean {
  const char = text[at]
  return char === ' ' || char === '\n' || char === '\r' || char === '\t'
}
