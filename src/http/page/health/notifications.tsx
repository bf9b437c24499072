import type { HealthReport } from '../answers.ts'
import { count } from '../format.ts'

/** Whether messages reach people, per receiver. */
export function Notifications({ notifications }: Pick<HealthReport, 'notifications'>) {
  const receivers = Object.entries(notifications)
  return (
    <section aria-labelledby="sent">
      <h2 id="sent">Do messages arrive?</h2>
      {receivers.length === 0 ? (
        <p class="empty">
          No message was sent since the start. <code>tollwatch test-receiver NAME</code> sends one.
        </p>
      ) : (
        <table class="slim">
          <caption class="hidden">Messages by receiver since the start</caption>
          <thead>
            <tr>
              <th scope="col">Receiver</th>
              <th scope="col" class="number">
                Delivered
              </th>
              <th scope="col" class="number">
                Failed
              </th>
              <th scope="col" class="number">
                Waiting
              </th>
            </tr>
          </thead>
          <tbody>
            {receivers.map(([name, { ok, failed, waiting }]) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="number">{count(ok)}</td>
                <td class={failed > 0 ? 'number flaw' : 'number'}>{count(failed)}</td>
                <td class="number">{count(waiting)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}
