import { shellWord } from './csv.ts'
import { spanQuery, type View } from './view.ts'

/** The command line that answers what a chart shows. */
export function trendsCommand(view: View, by: string, origin: string): string {
  const { from, to } = spanQuery(view)
  const words = [
    `tollwatch query trends --from ${from}`,
    to === undefined ? '' : `--to ${to}`,
    `--by ${by}`,
    view.tenant === undefined ? '' : `--tenant ${shellWord(view.tenant)}`,
    view.api === undefined ? '' : `--api ${shellWord(view.api)}`,
    view.cause === undefined ? '' : `--cause ${shellWord(view.cause)}`,
    view.step === 'auto' ? '' : `--step ${view.step}`,
    `--url ${origin}`,
  ]
  return words.filter((word) => word !== '').join(' ')
}
