import type { Severity } from './answers.ts'

/** Severity is a shape and a word as well as a colour. */
const shapes: Readonly<Record<Severity, string>> = { page: '●', ticket: '▲', info: '■' }

export function SeverityMark({ severity }: { readonly severity: Severity }) {
  return (
    <span class={`severity ${severity}`}>
      <span aria-hidden="true">{shapes[severity]}</span> {severity}
    </span>
  )
}
