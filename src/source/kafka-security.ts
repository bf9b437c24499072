import { readFileSync } from 'node:fs'
import type { ConnectionOptions } from 'node:tls'
import { Fault, messageOf } from '../fault/fault.ts'
import type { KafkaOptions } from './options.ts'

/** A login as the client takes it. */
interface Login {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
  readonly username: string
  readonly password: string
}

/**
 * TLS and SASL as the client takes them; nothing where the settings have neither.
 *
 * @throws Fault `config-unreadable` when a file with a certificate, key or password cannot be read
 */
export function securityOf({ tls, sasl }: KafkaOptions): { ssl?: boolean | ConnectionOptions; sasl?: Login } {
  return { ...(tls === false ? {} : { ssl: tlsOf(tls) }), ...(sasl === undefined ? {} : { sasl: loginOf(sasl) }) }
}

function tlsOf(tls: Exclude<KafkaOptions['tls'], false>): boolean | ConnectionOptions {
  if (tls === true) return true
  return {
    rejectUnauthorized: tls.verify,
    ...(tls.ca_file === undefined ? {} : { ca: read(tls.ca_file) }),
    ...(tls.cert_file === undefined ? {} : { cert: read(tls.cert_file) }),
    ...(tls.key_file === undefined ? {} : { key: read(tls.key_file) }),
  }
}

function loginOf({ mechanism, username, password, password_file }: NonNullable<KafkaOptions['sasl']>): Login {
  return { mechanism, username, password: password_file === undefined ? password : read(password_file).trim() }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const message = `source.kafka: ${file} cannot be read (${messageOf(error)}); check the path and who may read it`
    throw new Fault('config-unreadable', message, { retryable: false, cause: error })
  }
}
