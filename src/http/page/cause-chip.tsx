import { causeName, colourOf } from './causes.ts'
import { count } from './format.ts'

/** A cause by its colour and readable name, with its count; the identifier is on hover. */
export function CauseChip({ cause, value }: { readonly cause: string; readonly value?: number }) {
  return (
    <span class="chip" title={cause}>
      <Swatch cause={cause} />
      {causeName(cause)} {value === undefined ? null : <b>{count(value)}</b>}
    </span>
  )
}

export function Swatch({ cause }: { readonly cause: string }) {
  return <ColourSwatch colour={colourOf(cause)} />
}

export function ColourSwatch({ colour }: { readonly colour: string }) {
  return (
    <svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">
      <rect width="10" height="10" rx="2" fill={colour} />
    </svg>
  )
}
