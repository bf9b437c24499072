import type { ComponentChildren } from 'preact'

/** A number with its name, for a list of figures (`dl`). */
export function Figure({ name, children }: { readonly name: string; readonly children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  )
}
