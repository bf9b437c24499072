import { useState } from 'preact/hooks'
import type { HealthReport } from '../answers.ts'
import { count } from '../format.ts'

const few = 20

/** The inputs one by one: a partition, a file, what is pushed. */
export function Lanes({ lanes }: Pick<HealthReport, 'lanes'>) {
  const [all, setAll] = useState(false)
  // Those with a problem, then those that are behind most.
  const sorted = [...lanes].sort(
    (a, b) => Number(b.problem !== null) - Number(a.problem !== null) || (b.lag ?? 0) - (a.lag ?? 0),
  )
  return (
    <section aria-labelledby="lanes">
      <h2 id="lanes">What is read</h2>
      {lanes.length === 0 ? (
        <p class="empty">
          Nothing is read yet. Kafka partitions, files and pushed logs would each be a line here; see{' '}
          <code>source</code> in the settings.
        </p>
      ) : (
        <div class="scroll">
          <table class="slim">
            <caption class="hidden">Inputs with how far each has come</caption>
            <thead>
              <tr>
                <th scope="col">Input</th>
                <th scope="col" class="number">
                  Next offset
                </th>
                <th scope="col" class="number">
                  Waiting
                </th>
                <th scope="col">State</th>
              </tr>
            </thead>
            <tbody>
              {sorted.slice(0, all ? sorted.length : few).map((lane) => (
                <tr key={`${lane.source} ${lane.lane}`}>
                  <th scope="row" title={lane.source}>
                    {lane.label}
                  </th>
                  <td class="number">{count(lane.position)}</td>
                  <td class="number">{lane.lag === null ? 'unknown' : count(lane.lag)}</td>
                  <td class="text">{lane.problem ?? <span class="muted">reading</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {sorted.length > few ? (
        <p class="below">
          <button type="button" class="quiet" aria-expanded={all} onClick={() => setAll(!all)}>
            {all ? 'show fewer' : `show all ${count(sorted.length)}`}
          </button>
        </p>
      ) : null}
    </section>
  )
}
