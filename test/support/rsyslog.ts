import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startChild } from './process.ts'
import { tempDir } from './run-context.ts'

/** A running rsyslog that ships lines of files. */
export interface Rsyslog {
  /** What it complained about so far. */
  output(): string
  stop(): Promise<void>
}

/** Debian keeps it where ordinary users have no path to. */
export const rsyslogCommand = '/usr/sbin/rsyslogd'

/** Its Kafka output, of the package rsyslog-kafka. */
export const rsyslogKafkaModules: readonly string[] = [
  '/usr/lib/x86_64-linux-gnu/rsyslog/omkafka.so',
  '/usr/lib/aarch64-linux-gnu/rsyslog/omkafka.so',
]

/** Starts Debian's rsyslog: every line of the files goes to the topic as it is, one message a line. */
export async function startRsyslog(files: readonly string[], brokers: string, topic: string): Promise<Rsyslog> {
  const dir = tempDir('rsyslog')
  const config = join(dir, 'rsyslog.conf')
  const inputs = files.map((file) => `input(type="imfile" File="${file}" Tag="access" ruleset="ship")`)
  writeFileSync(
    config,
    `global(workDirectory="${dir}" maxMessageSize="64k")
module(load="imfile" mode="inotify")
module(load="omkafka")
template(name="line" type="string" string="%msg%")
ruleset(name="ship") {
  action(type="omkafka" broker=["${brokers}"] topic="${topic}" template="line" partitions.auto="on")
}
${inputs.join('\n')}
`,
  )
  const daemon = startChild(rsyslogCommand, ['-n', '-f', config, '-i', join(dir, 'rsyslog.pid')])
  return { output: () => daemon.output(), stop: async () => void (await daemon.stop(5_000)) }
}
