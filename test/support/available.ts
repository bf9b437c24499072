import { accessSync, constants, existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { delimiter, join } from 'node:path'
import { describe, test } from 'vitest'
import { cachedJars, kafkaVersion } from '../../scripts/fetch-kafka.ts'
import { nginxCommand } from './nginx.ts'
import { rsyslogCommand, rsyslogKafkaModules } from './rsyslog.ts'

/** The path of a program, or null where it is not installed. */
export function which(...names: readonly string[]): string | null {
  for (const name of names) {
    for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not here; the next folder may have it.
      }
    }
  }
  return null
}

/** Why no Kafka broker can be had, or null when one can. */
export function kafkaAvailable(): string | null {
  if (process.env['KAFKA_BROKERS'] !== undefined) return null
  if (which('java') === null) return 'no java on the PATH (Java 17 or later), and KAFKA_BROKERS names no broker'
  if (cachedJars() === null && which('mvn') === null) {
    return `Kafka ${kafkaVersion()} is not cached and there is no mvn on the PATH to fetch it`
  }
  return null
}

/** Why no browser can be had, or null when one can. */
export function chromiumAvailable(): string | null {
  return chromiumPath() === null ? 'no chromium on the PATH (Debian package chromium)' : null
}

/** `CHROMIUM` names another browser. */
export function chromiumPath(): string | null {
  const named = process.env['CHROMIUM']
  return named !== undefined && existsSync(named) ? named : which('chromium', 'chromium-browser', 'google-chrome')
}

/** Why no Prometheus server can be had, or null when one can. */
export function prometheusAvailable(): string | null {
  return which('prometheus') === null ? 'no prometheus on the PATH (Debian package prometheus)' : null
}

export function promtoolAvailable(): string | null {
  return which('promtool') === null ? 'no promtool on the PATH (Debian package prometheus)' : null
}

/** Why no Alertmanager can be had, or null when one can. */
export function alertmanagerAvailable(): string | null {
  if (which('prometheus-alertmanager') !== null) return null
  return 'no prometheus-alertmanager on the PATH (Debian package prometheus-alertmanager)'
}

/** Debian's docker-compose reads and checks a compose file without a Docker engine. */
function composeAvailable(): string | null {
  return which('docker-compose') === null ? 'no docker-compose on the PATH (Debian package docker-compose)' : null
}

/** Why no log can be shipped from a real nginx to Kafka, or null when it can. */
function shippedNginxAvailable(): string | null {
  if (!existsSync(nginxCommand)) return `no ${nginxCommand} (Debian package nginx-light)`
  if (!existsSync(rsyslogCommand)) return `no ${rsyslogCommand} (Debian package rsyslog)`
  if (!rsyslogKafkaModules.some((path) => existsSync(path))) return 'no omkafka (Debian package rsyslog-kafka)'
  return kafkaAvailable()
}

/** Why the embedded ClickHouse engine cannot be had, or null when it can. */
export function chdbAvailable(): string | null {
  if (process.env['CLICKHOUSE_URL'] !== undefined) return null
  try {
    // Resolving the platform's library tells without loading half a gigabyte.
    const chdb = createRequire(import.meta.url).resolve('chdb')
    createRequire(chdb).resolve(
      `@chdb/lib-${process.platform}-${process.arch}${process.platform === 'linux' ? '-gnu' : ''}/package.json`,
    )
    return null
  } catch {
    return 'the optional package chdb is not installed for this platform'
  }
}

export const describeWithKafka = describeWith('Kafka', kafkaAvailable)
export const describeWithChromium = describeWith('Chromium', chromiumAvailable)
export const describeWithPrometheus = describeWith('Prometheus', prometheusAvailable)
export const describeWithPromtool = describeWith('promtool', promtoolAvailable)
export const describeWithAlertmanager = describeWith('Alertmanager', alertmanagerAvailable)
export const describeWithCompose = describeWith('docker-compose', composeAvailable)
export const describeWithShippedNginx = describeWith('nginx, rsyslog and Kafka', shippedNginxAvailable)
export const describeWithChdb = describeWith('chdb', chdbAvailable)

/**
 * `describe` for a suite that needs something installed. Where it is missing the suite is left out, and said so; in CI
 * (`CI=true`) it fails instead, so that a machine without the parts never passes for a tested one.
 */
function describeWith(part: string, unavailable: () => string | null) {
  return (name: string, suite: () => void): void => {
    const reason = unavailable()
    if (reason === null) {
      describe(name, suite)
    } else if (process.env['CI'] === 'true') {
      test(`${name}: needs ${part}`, () => {
        throw new Error(`${part} is missing, and in CI nothing may be left out: ${reason}`)
      })
    } else {
      console.warn(`LEFT OUT: ${name}: ${reason}`)
      describe.skip(`${name} [left out: ${reason}]`, suite)
    }
  }
}
