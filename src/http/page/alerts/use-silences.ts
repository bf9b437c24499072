import type { Silence } from '../answers.ts'
import { type Polled, usePoll } from '../ask/poll.ts'

const pollMs = 10_000

/** The silences that are active, to come or ended lately. */
export function useSilences(): Omit<Polled<unknown>, 'data'> & { readonly silences: readonly Silence[] } {
  const { data, error, again } = usePoll<{ silences: readonly Silence[] }>('/api/v1/silences', pollMs)
  return { silences: data?.silences ?? [], error, again }
}
