import { expect, test } from 'vitest'
import { describeWithChdb, describeWithKafka } from '../support/available.ts'
import { createTopic, deleteTopic, produce, sharedKafka, topicName } from '../support/kafka.ts'
import { waitFor } from '../support/process.ts'
import { tempDir } from '../support/run-context.ts'
import { type Daemon, startTollwatch } from '../support/tollwatch.ts'

/** Refused calls in the layout that Kong's plug-ins write. */
const calls = (count: number) =>
  Array.from({ length: count }, (_, i) => {
    const response = { status: 402, headers: { 'ratelimit-remaining': '0' } }
    const call = { started_at: Date.now() - i, latencies: {}, response, route: { name: 'chat' } }
    return Buffer.from(JSON.stringify({ ...call, consumer: { username: 'acme' } }))
  })

async function landed(daemon: Daemon): Promise<number> {
  const { rows } = await daemon.get<{ rows: { requests: number }[] }>('/api/v1/summary?from=-1h&to=now&by=')
  return rows[0]?.requests ?? 0
}

describeWithChdb('docs/faults.md', () => {
  describeWithKafka('on offset-above-latest', () => {
    test('says rightly that a topic made anew is read from its beginning by itself', { timeout: 120_000 }, async () => {
      const brokers = await sharedKafka()
      const topic = topicName('again')
      const dir = tempDir('again')
      const config = `source: { kafka: { brokers: "${brokers}", topic: ${topic}, group: ${topic}, session_timeout: 6s } }\nhistory: { flush_interval: 300ms, data_dir: ./data }\n`
      await createTopic(brokers, topic)
      await produce(brokers, topic, calls(20))
      const first = await startTollwatch({ dir, config })
      await waitFor('the first topic', async () => (await landed(first)) === 20)
      await first.stop()

      await deleteTopic(brokers, topic)
      await createTopic(brokers, topic)
      await produce(brokers, topic, calls(5))
      const second = await startTollwatch({ dir, config })
      await waitFor('the new topic', async () => (await landed(second)) === 25)
      expect((await second.stop()).code).toBe(0)
    })
  })
})
