import { clockSeconds, clockTime, duration, exactTime } from './format.ts'

/** A moment in the reader's zone; on hover to the second, there and in UTC. */
export function When(props: {
  /** ISO 8601 or epoch milliseconds. */
  readonly at: string | number
  readonly now: number
  readonly seconds?: boolean
  /** Adds how long ago that was. */
  readonly ago?: boolean
}) {
  const at = typeof props.at === 'number' ? props.at : Date.parse(props.at)
  if (Number.isNaN(at)) return <span class="muted">unknown</span>
  const text = props.seconds === true ? clockSeconds(at, props.now) : clockTime(at, props.now)
  return (
    <time dateTime={new Date(at).toISOString()} title={exactTime(at)}>
      {text}
      {props.ago === true ? <span class="muted"> ({duration(Math.max(0, props.now - at))})</span> : null}
    </time>
  )
}
