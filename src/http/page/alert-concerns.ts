import type { PageAlert } from './answers.ts'
import type { View } from './view.ts'

/** Whether an alert speaks of what is chosen: it names nothing else. */
export function concerns({ labels }: Pick<PageAlert, 'labels'>, view: Pick<View, 'tenant' | 'api' | 'cause'>): boolean {
  return (['tenant', 'api', 'cause'] as const).every((key) => {
    const wanted = view[key]
    return wanted === undefined || labels[key] === undefined || labels[key] === wanted
  })
}
