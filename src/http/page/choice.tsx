/** A row of buttons of which one is pressed. */
export function Choice<Word extends string>(props: {
  readonly label: string
  readonly words: readonly Word[]
  readonly chosen: Word
  readonly onChoose: (word: Word) => void
}) {
  return (
    <fieldset class="choice">
      <legend class="hidden">{props.label}</legend>
      {props.words.map((word) => (
        <button key={word} type="button" aria-pressed={word === props.chosen} onClick={() => props.onChoose(word)}>
          {word}
        </button>
      ))}
    </fieldset>
  )
}
