import { z } from 'zod'
import type { Caller } from '../caller.ts'
import type { HttpDeps } from '../deps.ts'
import { eventEndpoint } from '../endpoint.ts'
import type { LiveStream, Part } from '../live-stream.ts'
import { alertsAnswer, alertsNow } from './alerts.ts'
import { liveAnswer, liveInput, liveNow } from './live.ts'
import { statusAnswer, statusNow } from './status.ts'

const events = z.object({
  live: liveAnswer,
  alerts: alertsAnswer,
  status: statusAnswer.optional().describe('Not for a token of one tenant.'),
})

/**
 * What a page shows, without asking again and again.
 *
 * @param title what the page is called
 */
export function stream(title: string, live: LiveStream) {
  return eventEndpoint(
    {
      method: 'GET',
      path: '/api/v1/stream',
      summary: 'Events live, alerts and status, each with what its own path answers: at once, and when it has changed.',
      scope: 'read',
      forTenants: true,
      input: liveInput,
      answer: events,
      problems: [503],
    },
    ({ input, caller }, deps) => live.open(caller.name, partsOf({ input, caller, title }, deps)),
  )
}

function partsOf(
  { input, caller, title }: { input: z.output<typeof liveInput>; caller: Caller; title: string },
  deps: HttpDeps,
): readonly Part[] {
  const { window, tenant = null, api = null, limit, sparkline } = input
  const whose = JSON.stringify(caller.tenant)
  const part = (event: string, about: readonly unknown[], answer: () => object): Part => ({
    ...{ event, key: JSON.stringify([event, whose, ...about]) },
    make: () => {
      const data = JSON.stringify(answer())
      return { data, essence: data }
    },
  })
  const status: Part = {
    ...{ event: 'status', key: 'status' },
    make: () => {
      const answer = statusNow(title, deps)
      // That time passes is no news.
      return { data: JSON.stringify(answer), essence: JSON.stringify({ ...answer, now: null }) }
    },
  }
  return [
    part('live', [window, tenant, api, limit, sparkline], () => liveNow(input, deps)),
    part('alerts', [], () => alertsNow(deps, () => true)),
    ...(caller.tenant === null ? [status] : []),
  ]
}
