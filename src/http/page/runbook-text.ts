/** A part of a runbook: as much of Markdown as the runbooks use. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly string[] }

/** A piece of a line: plain, stressed, code, or a link to another file. */
export type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'strong'; readonly text: string }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'link'; readonly text: string; readonly to: string }

/** Takes a runbook apart; its title is left out, since the reader has just clicked on it. */
export function blocksOf(markdown: string): readonly Block[] {
  const blocks: Block[] = []
  for (const chunk of markdown.split(/\n\s*\n/)) {
    const lines = chunk.split('\n').filter((line) => line.trim() !== '')
    const first = lines[0] ?? ''
    if (first === '' || /^# /.test(first)) continue
    if (/^#+ /.test(first)) {
      blocks.push({ kind: 'heading', text: first.replace(/^#+ /, '') })
      continue
    }
    const marker = /^(?:[-*]|\d+\.) /
    if (marker.test(first)) {
      const items: string[] = []
      // A line without a marker goes on with the item above it.
      for (const line of lines) {
        if (marker.test(line)) items.push(line.replace(marker, ''))
        else items.push(`${items.pop() ?? ''} ${line.trim()}`)
      }
      blocks.push({ kind: 'list', ordered: /^\d/.test(first), items })
      continue
    }
    blocks.push({ kind: 'paragraph', text: lines.map((line) => line.trim()).join(' ') })
  }
  return blocks
}

/** Takes `code`, [links](file.md), **stress** and _stress_ out of a line. */
export function piecesOf(line: string): readonly Piece[] {
  const pieces: Piece[] = []
  let rest = 0
  const marks = /`(?<code>[^`]+)`|\[(?<text>[^\]]+)\]\((?<to>[^)]+)\)|\*\*(?<bold>[^*]+)\*\*|\b_(?<italic>[^_]+)_\b/g
  for (const match of line.matchAll(marks)) {
    if (match.index > rest) pieces.push({ kind: 'text', text: line.slice(rest, match.index) })
    const { code, text, to, bold, italic } = match.groups ?? {}
    if (code !== undefined) pieces.push({ kind: 'code', text: code })
    else if (text !== undefined && to !== undefined) pieces.push({ kind: 'link', text, to })
    else pieces.push({ kind: 'strong', text: bold ?? italic ?? '' })
    rest = match.index + match[0].length
  }
  if (rest < line.length) pieces.push({ kind: 'text', text: line.slice(rest) })
  return pieces
}
