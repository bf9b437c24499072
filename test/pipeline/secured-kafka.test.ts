import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { silentLog } from '../../src/fault/log.ts'
import { KafkaSource } from '../../src/source/kafka.ts'
import { sourceOptions } from '../../src/source/options.ts'
import type { BatchConsumer } from '../../src/source/source.ts'
import { systemClock } from '../../src/time/clock.ts'
import { valuesOf } from '../source/record-batches.ts'
import { describeWithKafka } from '../support/available.ts'
import { createTopic, produce, startKafka, topicName } from '../support/kafka.ts'
import { freePort, run, waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'

const login = (users: string) => `org.apache.kafka.common.security.plain.PlainLoginModule required ${users};`

/** A key pair for 127.0.0.1 with its certificate, made by the tool that comes with Java. */
async function certificate(dir: string): Promise<{ keystore: string; ca: string }> {
  const keystore = join(dir, 'broker.p12')
  const store = ['-keystore', keystore, '-storepass', 'changeit', '-storetype', 'PKCS12', '-alias', 'broker']
  const pair = ['-genkeypair', '-keyalg', 'RSA', '-dname', 'CN=127.0.0.1', '-ext', 'san=ip:127.0.0.1', '-validity', '2']
  await run('keytool', [...pair, ...store])
  const ca = join(dir, 'ca.pem')
  writeFileSync(ca, (await run('keytool', ['-exportcert', '-rfc', ...store])).stdout)
  return { keystore, ca }
}

describeWithKafka('KafkaSource on a secured listener', () => {
  test('logs in over TLS and without it, with the password of a file, and says why when it is wrong', {
    timeout: 90_000,
  }, async () => {
    const dir = tempDir('secured')
    const { keystore, ca } = await certificate(dir)
    const secured = await freePort()
    const open = await freePort()
    const ours = `SECURED://127.0.0.1:${secured},OPEN://127.0.0.1:${open}`
    const accounts = login('user_toll="open-sesame"')
    const kafka = await startKafka({
      properties: ({ port, controllerPort }) => ({
        listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort},${ours}`,
        'advertised.listeners': `PLAINTEXT://127.0.0.1:${port},${ours}`,
        'listener.security.protocol.map':
          'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURED:SASL_SSL,OPEN:SASL_PLAINTEXT',
        'listener.name.open.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.open.plain.sasl.jaas.config': accounts,
        'listener.name.secured.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.secured.plain.sasl.jaas.config': accounts,
        'listener.name.secured.ssl.keystore.type': 'PKCS12',
        'listener.name.secured.ssl.keystore.location': keystore,
        'listener.name.secured.ssl.keystore.password': 'changeit',
      }),
    })
    try {
      const topic = topicName('secured')
      await createTopic(kafka.brokers, topic, 1)
      await produce(kafka.brokers, topic, ['one', 'two'])
      const taken: string[] = []
      const consumer = (): BatchConsumer => ({
        assigned: async (lanes) => lanes.map((lane) => lane.initial),
        take: async (_, batch) =>
          void taken.push(...valuesOf(batch.packed ?? []).map(({ bytes }) => Buffer.from(bytes ?? []).toString())),
        lost: async () => {},
        ended: async () => {},
      })
      const source = (password: string, port = secured) => {
        writeFileSync(join(dir, 'password'), `${password}\n`)
        const sasl = { mechanism: 'plain', username: 'toll', password_file: join(dir, 'password') }
        const place = { brokers: `127.0.0.1:${port}`, topic, group: `${topic}-${port}` }
        const tls = port === secured ? { ca_file: ca } : false
        const { kafka: options } = sourceOptions.parse({ kafka: { ...place, sasl, tls } })
        if (options === undefined) throw new Error('kafka options are there')
        return new KafkaSource(options, { clock: systemClock, log: silentLog, epoch: 0 })
      }
      const stranger = source('guess')
      await stranger.start(consumer)
      await waitFor('the refusal', () => stranger.problems().some((problem) => /authentication failed/i.test(problem)))
      await stranger.close()
      expect(taken).toEqual([])
      const member = source('open-sesame')
      await member.start(consumer)
      await waitFor('both values', () => taken.length === 2)
      await member.close()
      expect(taken).toEqual(['one', 'two'])
      const unsealed = source('open-sesame', open)
      await unsealed.start(consumer)
      await waitFor('both values again', () => taken.length === 4)
      await unsealed.close()
      expect(taken).toEqual(['one', 'two', 'one', 'two'])
    } finally {
      await kafka.stop()
    }
  })
})
