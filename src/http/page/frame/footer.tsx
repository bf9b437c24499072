import type { WhoAmI } from '../answers.ts'
import { useFeed } from '../ask/feed-root.tsx'
import { clockSeconds, count, duration } from '../format.ts'
import { Shortcuts } from './shortcuts.tsx'

export function Footer({ me }: { readonly me: WhoAmI | null }) {
  const { status, live } = useFeed()
  if (status === null) return <footer />
  const now = Date.parse(status.now)
  const watermark = status.watermark === null ? null : Date.parse(status.watermark)
  const facts = [
    `Tollwatch ${status.version}`,
    status.demo ? 'all data are made up' : null,
    `running ${duration(now - Date.parse(status.started))}`,
    `${count(status.series)} series`,
    status.lag_records === null ? null : `${count(status.lag_records)} records waiting`,
    live === null || watermark === null ? 'no record yet' : `complete to ${clockSeconds(watermark, now)}`,
    status.oldest_unwritten_seconds > 30
      ? `history is ${duration(status.oldest_unwritten_seconds * 1_000)} behind`
      : null,
    me === null || me.name === 'loopback' ? null : `you are ${me.name}`,
  ]
  return (
    <footer>
      <span>{facts.filter((fact) => fact !== null).join(' · ')}</span>
      <span>
        <a href="/api/v1/openapi.json">API</a> <Shortcuts />
      </span>
    </footer>
  )
}
