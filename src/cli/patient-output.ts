/** Writes with back-pressure; a reader that went away (EPIPE) closes it instead of failing. */
export class PatientOutput {
  closed = false
  readonly #stream: NodeJS.WritableStream
  #failure: Error | null = null
  #wake: (() => void) | null = null

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream
    stream.on('error', this.#onError)
    stream.on('drain', this.#onDrain)
    stream.on('close', this.#onClose)
  }

  async write(text: string): Promise<void> {
    if (this.closed) return
    if (!this.#stream.write(text)) await this.#drained()
    this.#check()
  }

  /** Resolves once all that was written has been handed on, so that the caller may exit. */
  async flush(): Promise<void> {
    if (this.closed) return
    await new Promise<void>((resolve) => {
      this.#wake = resolve
      this.#stream.write('', () => resolve())
    })
    this.#check()
  }

  release(): void {
    this.#stream.off('drain', this.#onDrain)
    this.#stream.off('close', this.#onClose)
    // The error listener stays when the reader is gone: a late EPIPE must not end the process.
    if (!this.closed) this.#stream.off('error', this.#onError)
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.closed || this.#failure !== null) resolve()
      else this.#wake = resolve
    })
  }

  #check(): void {
    if (this.#failure !== null) throw this.#failure
  }

  readonly #onDrain = (): void => {
    this.#wake?.()
    this.#wake = null
  }

  readonly #onClose = (): void => {
    this.closed = true
    this.#onDrain()
  }

  readonly #onError = (error: Error & { code?: string }): void => {
    if (error.code === 'EPIPE' || error.code === 'ERR_STREAM_DESTROYED') this.closed = true
    else this.#failure = error
    this.#onDrain()
  }
}
