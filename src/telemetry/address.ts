import { z } from 'zod'

/** Where a server listens. Port 0 lets the system choose one. */
export interface ListenAddress {
  readonly host: string
  readonly port: number
}

/** Reads `127.0.0.1:8402`, `[::1]:8402` or `localhost:8402`; null when the text is no address. */
export function parseListen(text: string): ListenAddress | null {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/.exec(text.trim())
  const host = match?.[1] ?? match?.[2]
  const port = Number(match?.[3])
  return host === undefined || port > 65_535 ? null : { host, port }
}

/** Whether only this machine can reach what listens there. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '')
  return name === 'localhost' || name === '::1' || /^127(?:\.\d{1,3}){3}$/.test(name)
}

/** The URL of a listening server, for people. */
export function urlOf(address: ListenAddress): string {
  const host = address.host.includes(':') ? `[${address.host}]` : address.host
  return `http://${host}:${address.port}`
}

/** A listen address in settings; the text stays as written and `parseListen` reads it. */
export const listenSetting = z.string().refine((text) => parseListen(text) !== null, {
  error: 'is no listen address; write HOST:PORT such as 127.0.0.1:8402 or [::1]:8402',
})
