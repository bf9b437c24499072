import { useState } from 'preact/hooks'
import type { Backtested, RuleRow } from '../answers.ts'
import { ask, pathOf } from '../ask/api.ts'
import { usePoll } from '../ask/poll.ts'
import { useAction } from '../ask/use-action.ts'
import { Waiting } from '../asked.tsx'
import { Choice } from '../choice.tsx'
import { CopyButton } from '../copy-button.tsx'
import { shellWord } from '../csv.ts'
import { Go, useNavigation } from '../navigation.tsx'
import { SeverityMark } from '../severity.tsx'
import { When } from '../when.tsx'
import { BacktestResult } from './backtest-result.tsx'
import { State } from './state.tsx'

/** How much of history a test in the page looks at; `tollwatch rules backtest` takes more. */
const spans = ['1h', '6h', '24h', '3d', '7d'] as const

const textPollMs = 60_000

/** One rule: what it says, how it stands, and how often it would have fired. */
export function OneRule({ rule, now }: { readonly rule: RuleRow; readonly now: number }) {
  return (
    <>
      <div class="bar">
        <Go to={{ rule: undefined }}>← all rules</Go>
      </div>
      <section aria-labelledby="rule">
        <h2 id="rule">
          {rule.name} <SeverityMark severity={rule.severity} />
        </h2>
        <p class="sentence">{rule.expr_text}</p>
        <p class="facts">
          <State rule={rule} />
          {rule.last_fired === null ? null : (
            <span>
              last fired <When at={rule.last_fired} now={now} ago />
            </span>
          )}
          <span>one alert per {rule.group_by.length === 0 ? 'fleet' : rule.group_by.join(', ')}</span>
          {rule.for === '0s' ? null : <span>once it has held for {rule.for}</span>}
          <span>
            <code>
              {rule.file}:{rule.line}
            </code>
          </span>
        </p>
        {rule.status.length === 0 ? null : (
          <ul class="plain muted">
            {rule.status.map((sentence) => (
              <li key={sentence}>{sentence}</li>
            ))}
          </ul>
        )}
      </section>
      <Trial rule={rule} />
    </>
  )
}

/** Tries the rule, or what the reader makes of it, against history. Nothing is saved. */
function Trial({ rule }: { readonly rule: RuleRow }) {
  const asked = usePoll<{ rules: readonly RuleRow[] }>(pathOf('/api/v1/rules', { rule: rule.name }), textPollMs)
  const own = asked.data?.rules[0]?.yaml ?? null
  const { view } = useNavigation()
  const [span, setSpan] = useState<(typeof spans)[number]>('24h')
  const [yaml, setYaml] = useState<string | null>(null)
  const [action, run] = useAction<Backtested>()
  const picked = view.span
  const range =
    picked === null
      ? { from: `-${span}`, to: 'now' }
      : { from: new Date(picked.fromMs).toISOString(), to: new Date(picked.toMs).toISOString() }
  const edited = yaml !== null && yaml !== own
  const onSubmit = (event: Event) => {
    event.preventDefault()
    const what = edited ? { yaml } : { rule: rule.name }
    void run(() => ask<Backtested>('/api/v1/rules/backtest', { method: 'POST', json: { ...what, ...range } }))
  }
  return (
    <section aria-labelledby="trial">
      <h2 id="trial">Would have fired</h2>
      <form class="form" onSubmit={onSubmit}>
        <div class="controls">
          <span class="labelled">
            <span class="muted" aria-hidden="true">
              Over the last
            </span>
            <Choice label="Over the last" words={spans} chosen={picked === null ? span : null} onChoose={setSpan} />
          </span>
          <button type="submit" class="main" disabled={action.state === 'busy'}>
            {action.state === 'busy' ? 'Trying…' : edited ? 'Try my version' : 'Try against history'}
          </button>
          {own === null || yaml !== null ? null : (
            <button type="button" onClick={() => setYaml(own)}>
              Change it and try
            </button>
          )}
          <CopyButton
            text={`tollwatch rules backtest --rules ${shellWord(rule.file)} --from -${span} --url ${location.origin}`}
            label="copy as command"
          />
        </div>
        {yaml === null ? null : (
          <label>
            The rule as YAML. Trying changes nothing: to keep it, put it into the rule file and restart.
            <textarea
              class="code"
              rows={Math.min(30, yaml.split('\n').length + 2)}
              spellcheck={false}
              value={yaml}
              onInput={(event) => setYaml(event.currentTarget.value)}
            />
          </label>
        )}
        {edited ? (
          <p class="below">
            <button type="button" class="quiet" onClick={() => setYaml(own)}>
              back to the rule as it runs
            </button>
            <CopyButton text={yaml} label="copy the YAML" />
          </p>
        ) : null}
      </form>
      <div aria-live="polite">
        {action.state === 'idle' ? (
          <p class="empty">
            The rule runs over history minute by minute, as if it had been switched on then. It takes some seconds.
          </p>
        ) : null}
        {action.state === 'busy' ? <Waiting>Going through history minute by minute…</Waiting> : null}
        {action.state === 'failed' ? <p class="trouble">It could not be tried: {action.error.message}</p> : null}
        {action.state === 'done' ? <BacktestResult result={action.answer} /> : null}
      </div>
    </section>
  )
}
