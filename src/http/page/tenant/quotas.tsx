import type { Quota } from '../answers.ts'
import { count, percent } from '../format.ts'
import { When } from '../when.tsx'

/** From here on a quota is worth a colour. */
const nearlyUsed = 0.9

/** How much of each quota is used, and when it runs out if things go on like this. */
export function Quotas({ quotas, now }: { readonly quotas: readonly Quota[]; readonly now: number }) {
  return (
    <section aria-labelledby="quotas">
      <h2 id="quotas">Quotas</h2>
      {quotas.length === 0 ? (
        <p class="empty">
          No quota is known. Gateways that log quota headers, and tenants that hit a limit more than once, would show
          here how much is left and when it runs out.
        </p>
      ) : (
        <ul class="plain quotas">
          {quotas.map((quota) => (
            <li key={`${quota.api} ${quota.quota}`}>
              <OneQuota quota={quota} now={now} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function OneQuota({ quota, now }: { readonly quota: Quota; readonly now: number }) {
  const { used, limit, share, probability } = quota
  const where = quota.api ?? 'all APIs'
  return (
    <>
      <p>
        <b>{where}</b> per {quota.quota}: {count(used)} of {count(limit)} ({percent(share)})
      </p>
      <progress
        class={share >= nearlyUsed ? 'near' : ''}
        max={1}
        value={Math.min(1, share)}
        aria-label={`Used of the quota of ${where} per ${quota.quota}`}
      />
      <p class="muted">
        {quota.runs_out === null ? null : (
          <>
            Runs out about <When at={quota.runs_out} now={now} />
            {probability === null ? '' : `, ${percent(probability)} likely`}.{' '}
          </>
        )}
        {quota.resets === null ? null : (
          <>
            Resets <When at={quota.resets} now={now} />.{' '}
          </>
        )}
        {quota.source === 'header' ? 'As the gateway says.' : 'Learnt from where refusals began before.'}
      </p>
    </>
  )
}
