/** A row of buttons of which one is pressed. */
export function Choice<Word extends string>(props: {
  readonly label: string
  readonly words: readonly Word[]
  readonly chosen: Word | null
  readonly onChoose: (word: Word) => void
  /** What a word is called, where it is not itself. */
  readonly names?: Readonly<Partial<Record<Word, string>>>
}) {
  return (
    <fieldset class="choice">
      <legend class="hidden">{props.label}</legend>
      {props.words.map((word) => (
        <button key={word} type="button" aria-pressed={word === props.chosen} onClick={() => props.onChoose(word)}>
          {props.names?.[word] ?? word}
        </button>
      ))}
    </fieldset>
  )
}
