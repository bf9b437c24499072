/**
 * Runs the real pipeline in a simulated world for many seeds and audits each: crashes at every call, zombies, lost and
 * late inserts, rebalances, outages, retention, a topic made anew. `--seeds N` runs that many from `--from` on; `--seed S`
 * runs one, with `--trace` line by line; `--until-failure` ends with the first that fails. `--without "SAFEGUARD"` takes one away (`--list` names them) and tells in which
 * share of the runs the audit notices.
 */
import { parseArgs } from 'node:util'
import type { Finding } from '../test/simulator/auditor.ts'
import { provocation, safeguards } from '../test/simulator/safeguards.ts'
import { survey } from '../test/simulator/survey.ts'
import { simulate } from '../test/simulator/world.ts'

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    trace: { type: 'boolean', default: false },
    without: { type: 'string' },
    'until-failure': { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
  },
})
if (values.list) {
  console.log(safeguards.join('\n'))
  process.exit(0)
}
const without = safeguards.find((name) => name === values.without)
const count = Number(values.seeds)
const from = Number(values.seed ?? values.from)
if (!Number.isInteger(count) || count < 1 || !Number.isInteger(from) || (values.without ?? without) !== without) {
  console.error(
    'simulate: --seeds, --from and --seed take whole numbers, --without one of the names that --list prints',
  )
  process.exit(2)
}

process.exitCode = values.seed === undefined ? await many() : await one()

async function one(): Promise<number> {
  const { findings, plan } = await simulate(from, {
    ...(without === undefined ? {} : { without, more: provocation(without) }),
    ...(values.trace ? { onLine: (line: string) => console.log(line) } : {}),
  })
  console.log(`seed ${from}: ${JSON.stringify(plan)}`)
  for (const finding of findings) console.log(said(finding))
  if (findings.length === 0) console.log('history, windows and counters are as they must be')
  return findings.some(({ kind }) => kind !== 'limit') ? 1 : 0
}

async function many(): Promise<number> {
  const { runs, failed, limited, records, lives, seconds } = await survey({
    ...{ from, count, untilFailure: values['until-failure'] },
    ...(without === undefined ? {} : { without, more: provocation(without) }),
    onFailure: (seed, findings, soFar) => {
      if (soFar > 5) return
      const again = without === undefined ? '' : ` --without "${without}"`
      console.log(
        `seed ${seed}: ${findings.map(said).join('; ')}\n  npm run simulate -- --seed ${seed}${again} --trace`,
      )
    },
    onProgress: (done) => {
      if (process.stderr.isTTY) process.stderr.write(`\r${done} of ${count}`)
    },
  })
  const share = (part: number): string => `${part} (${((100 * part) / runs).toFixed(2)} %)`
  console.log(
    `${runs} runs, ${records} values, ${lives} lives of daemons, ${(runs / seconds).toFixed(0)} runs a second of one core: ` +
      `${share(failed)} failed, ${share(limited)} met a known limit`,
  )
  return failed === 0 ? 0 : 1
}

function said({ kind, text }: Finding): string {
  return `${kind}: ${text}`
}
