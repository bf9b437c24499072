import { beforeAll, expect, test } from 'vitest'
import { describeWithKafka } from '../support/available.ts'
import { createTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { type Daemon, startTollwatch } from '../support/tollwatch.ts'

describeWithKafka('Two daemons in mode single', () => {
  let brokers: string

  beforeAll(async () => {
    brokers = await sharedKafka()
  })

  test('change places when the one that reads hangs, and it stands by when it wakes', {
    timeout: 120_000,
  }, async () => {
    const topic = topicName('places')
    await createTopic(brokers, topic, 2)
    const config = `source:\n  kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 3s }\n`
    const record = (tenant: string) => JSON.stringify({ t: new Date().toISOString(), status: 402, tenant, api: 'chat' })
    const readiness = async ({ url }: Daemon) => (await fetch(`${url}/readyz`)).text()
    const waits = (daemon: Daemon) => waitFor('standing by', async () => /standing by/.test(await readiness(daemon)))
    const a = await startTollwatch({ config })
    const b = await startTollwatch({ config, waitUntilReady: false })
    try {
      await waits(b)
      await produce(brokers, topic, [record('acme')])
      a.child.signal('SIGSTOP')
      await b.ready(30_000)
      a.child.signal('SIGCONT')
      await waits(a)
      expect(await readiness(a)).toContain('source.kafka.mode keyed shares topics')
      expect(a.logs()).toContain('beginning again from the store')
      await b.stop()
      await a.ready(30_000)
      await a.stop()
    } finally {
      await a.kill()
      await b.kill()
    }
  })
})
