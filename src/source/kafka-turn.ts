/**
 * Whose turn it is to read, for those who must load what they know after it has come. A daemon that stands by would go on
 * from what it loaded long ago, and another one has changed it since.
 */
export class Turn {
  #isMine = false
  #resolve: (() => void) | null = null
  #onChange: (() => void) | null = null

  /** Resolves when this daemon may read, or nobody can tell; `onChange` is called once, when that is no longer so. */
  claim(onChange: () => void): Promise<void> {
    this.#onChange = onChange
    return new Promise((resolve) => {
      this.#resolve = resolve
    })
  }

  /** This daemon may read. If it went on without knowing, what it has loaded may be old. */
  win(): void {
    if (this.#onChange === null) return
    if (this.#resolve === null && !this.#isMine) this.#change()
    this.#isMine = true
    this.#goOn()
  }

  /** This daemon may not read, or not any more. */
  lose(): void {
    if (this.#onChange !== null && this.#resolve === null) this.#change()
  }

  /** Nobody can tell whose turn it is, so there is nothing to wait for. */
  proceed(): void {
    this.#goOn()
  }

  #goOn(): void {
    this.#resolve?.()
    this.#resolve = null
  }

  #change(): void {
    const onChange = this.#onChange
    this.#onChange = null
    onChange?.()
  }
}
