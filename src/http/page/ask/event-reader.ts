/** One event of a `text/event-stream`. */
export interface StreamEvent {
  readonly event: string
  readonly data: string
}

/**
 * Takes a stream of server-sent events apart, in whatever pieces it arrives. `EventSource` would do the same, but
 * cannot send a token.
 *
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */
export class EventReader {
  #rest = ''
  #event = ''
  #data: string[] = []

  /** The events that the piece completes; comments and fields we do not use are passed by. */
  push(piece: string): readonly StreamEvent[] {
    const events: StreamEvent[] = []
    const text = this.#rest + piece
    // A carriage return at the end may be half of a line break.
    const whole = text.endsWith('\r') ? text.slice(0, -1) : text
    const lines = whole.split(/\r\n|\r|\n/)
    this.#rest = (lines.pop() ?? '') + text.slice(whole.length)
    for (const line of lines) {
      if (line === '') {
        if (this.#data.length > 0) events.push({ event: this.#event || 'message', data: this.#data.join('\n') })
        this.#event = ''
        this.#data = []
        continue
      }
      const colon = line.indexOf(':')
      const field = colon < 0 ? line : line.slice(0, colon)
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '')
      if (field === 'event') this.#event = value
      else if (field === 'data') this.#data.push(value)
    }
    return events
  }
}
