import { useState } from 'preact/hooks'
import { type Block, blocksOf, type Piece, piecesOf } from './runbook-text.ts'

/** The runbooks that come with Tollwatch, each a file of its own that is fetched when it is opened. */
const texts = import.meta.glob<string>('../../../alerts/runbooks/*.md', { query: '?raw', import: 'default' })

/** The whole runbook of a cause, opened with a click. */
export function Runbook({ cause }: { readonly cause: string }) {
  const [text, setText] = useState<string | null>(null)
  const load = texts[`../../../alerts/runbooks/${cause}.md`]
  if (load === undefined) return null
  const onToggle = async (event: Event) => {
    if (!(event.currentTarget instanceof HTMLDetailsElement) || !event.currentTarget.open || text !== null) return
    setText(await load())
  }
  return (
    <details class="runbook" onToggle={onToggle}>
      <summary>
        the whole runbook <code>alerts/runbooks/{cause}.md</code>
      </summary>
      {text === null ? null : blocksOf(text).map((block, i) => <Part key={`${block.kind} ${i}`} block={block} />)}
    </details>
  )
}

function Part({ block }: { readonly block: Block }) {
  switch (block.kind) {
    case 'heading':
      return <h4>{block.text}</h4>
    case 'paragraph':
      return (
        <p>
          <Line text={block.text} />
        </p>
      )
    case 'list': {
      const items = block.items.map((item) => (
        <li key={item}>
          <Line text={item} />
        </li>
      ))
      return block.ordered ? <ol>{items}</ol> : <ul>{items}</ul>
    }
    default:
      return block satisfies never
  }
}

function Line({ text }: { readonly text: string }) {
  return (
    <>
      {piecesOf(text).map((piece, i) => (
        <Word key={`${i} ${piece.text}`} piece={piece} />
      ))}
    </>
  )
}

function Word({ piece }: { readonly piece: Piece }) {
  switch (piece.kind) {
    case 'text':
      return <>{piece.text}</>
    case 'strong':
      return <strong>{piece.text}</strong>
    case 'code':
      return <code>{piece.text}</code>
    case 'link':
      // Links of a runbook lead to its neighbours, which stand beside it in the repository.
      return <em title={piece.to}>{piece.text}</em>
    default:
      return piece satisfies never
  }
}
