import type { FormatName, Layout } from './decode.ts'

/**
 * Notices which layouts one lane holds. A lane that changes once has a new gateway behind it; one that goes to and fro
 * is a mixed topic. So each change is told the first time only.
 */
export class LayoutWatch {
  #current: FormatName | null = null
  readonly #told = new Set<string>()

  /** What is new since the last look, as a sentence about the lane; null when nothing is. */
  news(layout: Layout | null): string | null {
    if (layout === null || layout.format === this.#current) return null
    const before = this.#current
    this.#current = layout.format
    const change = `${before ?? ''}>${layout.format}`
    if (this.#told.has(change)) return null
    this.#told.add(change)
    const marks = layout.marks.length === 0 ? 'by its text' : `by ${layout.marks.join(', ')}`
    return before === null
      ? `the layout is ${layout.format}, told ${marks}`
      : `the layout changed from ${before} to ${layout.format}, told ${marks}`
  }
}
