import { Dice } from '../support/dice.ts'

/** Something that happens to the world at a set time, apart from the faults of single calls. */
export type Blow =
  | 'kill'
  | 'freeze'
  | 'stop'
  | 'store outage'
  | 'broker outage'
  | 'retention'
  | 'expire offsets'
  | 'recreate topic'
  | 'truncate'

/** How likely one call meets each fault. */
export interface FaultRates {
  /** The process dies at the call: half of the times before it is sent, half after it was carried out. */
  readonly death: number
  readonly lostRequest: number
  readonly lostAnswer: number
  /** Inserts only: given up by the client, carried out much later. */
  readonly late: number
  /** Inserts only: some of the tables are reached, then it fails. */
  readonly partial: number
  /** Inserts only: the process is stopped while its insert is on its way, and wakes beyond the session. */
  readonly zombie: number
}

/** Everything about one run that is settled before it begins. */
export interface Plan {
  readonly seed: number
  readonly partitions: number
  readonly daemons: number
  /** How long faults happen; afterwards all is well, and the run ends once everything has landed. */
  readonly faultMs: number
  readonly flushRows: number
  readonly flushIntervalMs: number
  /** The memory mark, in rows that wait. */
  readonly memoryRows: number
  /** Mean pause between two values of one partition. */
  readonly valueEveryMs: number
  readonly rates: FaultRates
  readonly longestLateMs: number
  readonly blows: readonly { readonly atMs: number; readonly blow: Blow }[]
}

/** The world's own session timeout, far below Kafka's usual 30 s so that zombies are frequent. */
export const sessionMs = 10_000

const commonBlows: readonly [Blow, ...Blow[]] = [
  'kill',
  'kill',
  'kill',
  'freeze',
  'freeze',
  'stop',
  'store outage',
  'broker outage',
  'retention',
]
const rareBlows: readonly [Blow, ...Blow[]] = ['expire offsets', 'expire offsets', 'recreate topic', 'truncate']

/**
 * Draws a run from its seed: half are rough and half are mild, so that faults meet each other and also come alone.
 *
 * @param more blows that happen besides
 */
export function planOf(seed: number, more: readonly Blow[] = []): Plan {
  const dice = new Dice(seed * 2_654_435_761)
  const rough = dice.chance(0.6) ? dice.between(0.5, 2.5) : 0.15
  const faultMs = dice.between(40_000, 110_000)
  const blows: { atMs: number; blow: Blow }[] = []
  const add = (blow: Blow): void => void blows.push({ atMs: Math.floor(dice.between(5_000, faultMs)), blow })
  for (let n = Math.floor(dice.between(1, 6)); n > 0; n--) add(dice.pick(commonBlows))
  if (dice.chance(0.35)) add(dice.pick(rareBlows))
  for (const blow of more) add(blow)
  return {
    seed,
    partitions: Math.floor(dice.between(1, 4)),
    daemons: Math.floor(dice.between(1, 3.5)),
    faultMs,
    flushRows: Math.floor(dice.between(2, 25)),
    flushIntervalMs: Math.floor(dice.between(500, 8_000)),
    memoryRows: Math.floor(dice.between(20, 200)),
    valueEveryMs: dice.between(500, 4_000),
    rates: {
      death: 0.015 * rough,
      lostRequest: 0.02 * rough,
      lostAnswer: 0.03 * rough,
      late: 0.03 * rough,
      partial: 0.03 * rough,
      zombie: 0.01 * rough,
    },
    longestLateMs: dice.chance(0.5) ? 20_000 : 120_000,
    blows: blows.sort((a, b) => a.atMs - b.atMs),
  }
}
