/**
 * Names come from access logs, so from strangers: they may hold line breaks that would start a mail header, marks that
 * turn the reading direction of everything after them, or a thousand letters.
 */

/** Controls, direction marks, invisible spaces, line separators and halves of surrogate pairs. */
const unwanted =
  /[\p{Cc}\p{Cs}\u061c\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2064\u2066-\u206f\ufeff\ufff9-\ufffb]+/gu

/** Scripts written from right to left. */
const rightToLeft =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Adlam}]/u

/** One line of harmless text, at most `limit` UTF-16 units with an ellipsis where it was cut. */
export function plainText(text: string, limit = 200): string {
  // The first cut only keeps the work small: no text that long survives the second one.
  const line = text
    .slice(0, limit * 20)
    .replace(unwanted, ' ')
    .replace(/\s+/g, ' ')
    .trim()
  return clip(line, limit)
}

/** A name to be put into a sentence: right-to-left names are isolated so that the numbers beside them stay in place. */
export function nameText(text: string, limit = 60): string {
  const name = plainText(text, limit)
  return rightToLeft.test(name) ? `\u2068${name}\u2069` : name
}

/** As `clip`, but ends after a whole word, and not inside brackets; a single long word is cut all the same. */
export function clipWords(text: string, limit: number): string {
  if (text.length <= limit) return text
  const cut = clip(text, limit)
  const words = text
    .slice(0, limit)
    .replace(/\s*\S*$/, '')
    .replace(/\s*\([^()]*$/, '')
    .replace(/[\s,;:]+$/, '')
  return words.length < limit / 2 ? cut : `${words}…`
}

/** Cuts to `limit` UTF-16 units, never inside a character. */
export function clip(text: string, limit: number): string {
  if (text.length <= limit) return text
  let kept = ''
  for (const character of text) {
    if (kept.length + character.length > limit - 1) break
    kept += character
  }
  return `${kept.trimEnd()}…`
}
