import { ColourSwatch } from '../cause-chip.tsx'
import type { Line, Lines } from '../chart/lines.ts'
import { change, count, percent } from '../format.ts'
import { Go, useNavigation } from '../navigation.tsx'

/** The lines of the chart in numbers; at once its legend, and the way to narrow it down. */
export function Totals(props: {
  readonly lines: Lines
  readonly compared: boolean
  /** Whether there may be more series than were asked for. */
  readonly full: boolean
}) {
  const { lines, compared } = props
  const { view } = useNavigation()
  const all = lines.lines.reduce((sum, { totalRefused }) => sum + totalRefused, 0)
  return (
    <>
      <table class="cards totals">
        <caption class="hidden">Totals of the chosen span</caption>
        <thead>
          <tr>
            <th scope="col">{view.by === 'api' ? 'API' : view.by === 'cause' ? 'Cause' : 'Tenant'}</th>
            <th scope="col" class="number">
              Refused
            </th>
            <th scope="col" class="number">
              Of all refusals
            </th>
            <th scope="col" class="number">
              Share of requests
            </th>
            {compared ? (
              <>
                <th scope="col" class="number">
                  The week before
                </th>
                <th scope="col" class="number">
                  Change
                </th>
              </>
            ) : null}
          </tr>
        </thead>
        <tbody>
          {lines.lines.map((line) => (
            <tr key={line.id}>
              <th scope="row" class="tenant">
                <ColourSwatch colour={line.colour} /> <Name line={line} />
              </th>
              <td class="number refused">
                <b>{count(line.totalRefused)}</b>
              </td>
              <td class="number" data-label="of all refusals">
                {all === 0 ? '' : percent(line.totalRefused / all)}
              </td>
              <td class="number" data-label="share of requests">
                {line.totalRequests === 0 ? '' : percent(line.totalRefused / line.totalRequests)}
              </td>
              {compared ? <Before line={line} /> : null}
            </tr>
          ))}
        </tbody>
      </table>
      {props.full ? (
        <p class="muted">Only the largest series were asked for; filter by one of them to see it in full.</p>
      ) : null}
    </>
  )
}

function Name({ line }: { readonly line: Line }) {
  const { view } = useNavigation()
  if (line.id === 'other') return <>{line.name}</>
  return (
    <Go to={{ [view.by]: line.id }} title={`only ${line.id}`}>
      {line.name}
    </Go>
  )
}

function Before({ line }: { readonly line: Line }) {
  const before = line.before?.totalRefused ?? null
  if (before === null) return <td class="number" colSpan={2} />
  return (
    <>
      <td class="number" data-label="the week before">
        {count(before)}
      </td>
      <td class="number" data-label="change">
        {change(line.totalRefused, before) ?? (line.totalRefused > 0 ? 'new' : '')}
      </td>
    </>
  )
}
