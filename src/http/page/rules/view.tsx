import type { RuleRow } from '../answers.ts'
import { useServerNow } from '../ask/feed-root.tsx'
import { usePoll } from '../ask/poll.ts'
import { Asked } from '../asked.tsx'
import { Go, useNavigation } from '../navigation.tsx'
import { SeverityMark } from '../severity.tsx'
import { When } from '../when.tsx'
import { OneRule } from './one-rule.tsx'
import { State } from './state.tsx'

const pollMs = 10_000

/** What is watched for, in sentences; one of them in full, tried against history. */
export function RulesView() {
  const { view } = useNavigation()
  const now = useServerNow() ?? 0
  const asked = usePoll<{ rules: readonly RuleRow[] }>('/api/v1/rules', pollMs)
  return (
    <Asked asked={asked} what="The rules">
      {({ rules }) => {
        const chosen = rules.find(({ name }) => name === view.rule)
        if (chosen !== undefined) return <OneRule key={chosen.name} rule={chosen} now={now} />
        return <List rules={rules} now={now} missing={view.rule} />
      }}
    </Asked>
  )
}

function List(props: {
  readonly rules: readonly RuleRow[]
  readonly now: number
  readonly missing: string | undefined
}) {
  const { rules, now } = props
  return (
    <section aria-labelledby="rules">
      <h2 id="rules">What is watched for</h2>
      {props.missing === undefined ? null : (
        <p class="trouble mild">There is no rule called {props.missing} any more.</p>
      )}
      {rules.length === 0 ? (
        <p class="empty">
          No rule is loaded. Name a file under <code>alerts.rules</code>; <code>alerts/starter.rules.yaml</code> is one
          to begin with.
        </p>
      ) : (
        <table class="cards rules">
          <caption class="hidden">Rules with what they watch for and how they stand</caption>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Watches for</th>
              <th scope="col">Now</th>
              <th scope="col">Last fired</th>
            </tr>
          </thead>
          <tbody>
            {rules.map((rule) => (
              <tr key={rule.name}>
                <th scope="row" class="tenant">
                  <Go to={{ rule: rule.name }}>{rule.name}</Go>
                  <br />
                  <SeverityMark severity={rule.severity} />
                </th>
                <td class="why text">{rule.expr_text}</td>
                <td class="refused">
                  <State rule={rule} />
                </td>
                <td class="since">
                  {rule.last_fired === null ? (
                    <span class="muted">not in the log</span>
                  ) : (
                    <When at={rule.last_fired} now={now} ago />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
