import { type Cause, causes } from '../../classify/cause.ts'
import { causeColours } from '../../classify/cause-colours.ts'

/** The rest of a chart that shows only the largest causes. */
export const otherCauses = 'other causes'

function isCause(name: string): name is Cause {
  return causes.some((cause) => cause === name)
}

export function colourOf(cause: string): string {
  return isCause(cause) ? causeColours[cause] : causeColours.other
}

/** `quota_exceeded` as people say it: `quota exceeded`. */
export function causeName(cause: string): string {
  return cause.replaceAll('_', ' ')
}

/** The order of causes wherever several stand side by side: by family, as the list of causes has them. */
export function causeOrder(cause: string): number {
  return isCause(cause) ? causes.indexOf(cause) : causes.length
}
