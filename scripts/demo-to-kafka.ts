/**
 * Sends the demo traffic into a Kafka topic, one value a second, until it is stopped: for a look at the whole chain
 * without a gateway. `tsx scripts/demo-to-kafka.ts [brokers] [topic]`, by default 127.0.0.1:9092 and gateway-logs.
 */
import { Kafka, logLevel } from 'kafkajs'
import { demoIncident, demoTick } from '../src/source/demo-traffic.ts'
import { systemClock } from '../src/time/clock.ts'

const [brokers = '127.0.0.1:9092', topic = 'gateway-logs'] = process.argv.slice(2)
const kafka = new Kafka({ clientId: 'tollwatch-demo', brokers: brokers.split(','), logLevel: logLevel.ERROR })
const producer = kafka.producer({ allowAutoTopicCreation: false })
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
process.once('SIGTERM', () => stop.abort())

await producer.connect()
console.log(`demo traffic to ${topic} at ${brokers}; Ctrl-C ends it`)
const startTick = Math.floor(systemClock.now() / 1_000)
for (let tick = startTick; !stop.signal.aborted; tick++) {
  await systemClock.sleep((tick + 1) * 1_000 - systemClock.now(), stop.signal)
  if (stop.signal.aborted) break
  await producer.send({ topic, messages: [{ value: Buffer.from(demoTick(1, tick, startTick)) }] })
  const incident = demoIncident(startTick, tick)
  if (incident?.fromTick === tick)
    console.log(`incident: ${incident.name} until ${new Date(incident.toTick * 1_000).toISOString()}`)
}
await producer.disconnect()
