import type { SkipReason } from './decode.ts'

// The numbers of Envoy's AccessLogType, for relays that write enums as numbers.
const names = [
  ...['NotSet', 'TcpUpstreamConnected', 'TcpPeriodic', 'TcpConnectionEnd', 'DownstreamStart', 'DownstreamPeriodic'],
  ...['DownstreamEnd', 'UpstreamPoolReady', 'UpstreamPeriodic', 'UpstreamEnd'],
  ...['DownstreamTunnelSuccessfullyEstablished', 'UdpTunnelUpstreamConnected', 'UdpPeriodic', 'UdpSessionEnd'],
]

/**
 * Why an entry with this `%ACCESS_LOG_TYPE%` is no request of its own; null for one that is. A request that is also
 * logged at its start, now and then while it runs, or per upstream attempt, counts once, at its end.
 */
export function skipReasonOf(type: unknown): SkipReason | null {
  const name = typeof type === 'number' ? names[type] : type
  if (typeof name !== 'string') return null
  if (name.startsWith('Tcp') || name.startsWith('Udp')) return 'no-http'
  return duplicates.has(name) ? 'duplicate' : null
}

const duplicates = new Set([
  ...['DownstreamStart', 'DownstreamPeriodic', 'DownstreamTunnelSuccessfullyEstablished'],
  ...['UpstreamPoolReady', 'UpstreamPeriodic', 'UpstreamEnd'],
])
