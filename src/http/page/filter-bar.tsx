import { causeName } from './causes.ts'
import { Choice } from './choice.tsx'
import { clockTime } from './format.ts'
import { useNavigation } from './navigation.tsx'
import { ranges } from './view.ts'

interface ChipsProps {
  /** Names of tenants by id, as far as known here. */
  readonly nameOf?: (tenant: string) => string | null
}

/** What the view is about, and over which span; each part can be dropped. */
export function FilterBar(props: ChipsProps & { readonly now: number }) {
  return (
    <div class="filters">
      <SeriesChips {...props} />
      <RangeChoice now={props.now} />
    </div>
  )
}

/** The tenant, API and cause that everything is filtered by. */
export function SeriesChips({ nameOf }: ChipsProps) {
  const { view, go } = useNavigation()
  const { tenant, api, cause } = view
  return (
    <>
      {tenant === undefined ? null : (
        <Chip
          label="tenant"
          text={nameOf?.(tenant) ?? tenant}
          title={tenant}
          onDrop={() => go({ tenant: undefined }, true)}
        />
      )}
      {api === undefined ? null : <Chip label="API" text={api} onDrop={() => go({ api: undefined }, true)} />}
      {cause === undefined ? null : (
        <Chip label="cause" text={causeName(cause)} title={cause} onDrop={() => go({ cause: undefined }, true)} />
      )}
    </>
  )
}

/** The range that ends now, or the span that was picked on a chart. */
export function RangeChoice({ now }: { readonly now: number }) {
  const { view, go } = useNavigation()
  const { span } = view
  return (
    <div class="range">
      {span === null ? null : (
        <Chip
          label="span"
          text={`${clockTime(span.fromMs, now)} – ${clockTime(span.toMs, now)}`}
          title={`${new Date(span.fromMs).toISOString()} – ${new Date(span.toMs).toISOString()}`}
          onDrop={() => go({ span: null }, true)}
        />
      )}
      <Choice
        label="Range"
        words={ranges}
        chosen={span === null ? view.range : null}
        onChoose={(range) => go({ range, span: null })}
      />
    </div>
  )
}

function Chip(props: {
  readonly label: string
  readonly text: string
  readonly title?: string
  readonly onDrop: () => void
}) {
  return (
    <button
      type="button"
      class="filter"
      aria-label={`Drop the filter ${props.label} ${props.text}`}
      title={props.title ?? props.text}
      onClick={props.onDrop}
    >
      <span class="muted">{props.label}</span> {props.text} <span aria-hidden="true">×</span>
    </button>
  )
}
