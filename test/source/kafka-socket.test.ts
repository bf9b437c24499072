import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Socket } from 'node:net'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { AnswerFrame, answeringSockets } from '../../src/source/kafka-socket.ts'

function framed(content: Uint8Array): Buffer {
  const length = Buffer.alloc(4)
  length.writeInt32BE(content.length)
  return Buffer.concat([length, content])
}

test('gives each answer whole, however its bytes come', () => {
  const cuts = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 30 })), cuts, (contents, sizes) => {
      const answers: Buffer[] = []
      const frame = new AnswerFrame((answer) => answers.push(Buffer.from(answer)))
      const sent = Buffer.concat(contents.map(framed))
      for (let at = 0, i = 0; at < sent.length; i++) {
        const { room } = frame
        expect(room.length).toBeGreaterThan(0)
        const came = sent.copy(room, 0, at, at + Math.min(room.length, sizes[i % sizes.length] ?? 1))
        expect(frame.filled(came)).toBe(true)
        at += came
      }
      expect(answers).toEqual(contents.map(framed))
    }),
  )
})

test.each([-1, 0x15030300])('does not set aside memory for an answer of %i bytes', (length) => {
  const frame = new AnswerFrame(() => undefined)
  frame.room.writeInt32BE(length)
  expect(frame.filled(4)).toBe(false)
})

/** A socket on loopback with its other end, and what it was answered. */
async function pair() {
  const answers: Buffer[] = []
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const connected = once(server, 'connection')
  const make = answeringSockets((answer) => answers.push(answer))
  const socket = make({ host: '127.0.0.1', port, onConnect: () => undefined })
  socket.on('data', () => expect.unreachable('everything comes as answers'))
  const [other] = (await connected) as [Socket]
  other.on('error', () => undefined)
  onTestFinished(() => {
    socket.destroy()
    server.close()
  })
  return { answers, socket, other }
}

test('reads large and small answers from a socket, and notices its end', async () => {
  const { answers, socket, other } = await pair()
  const large = Buffer.alloc(5_000_000, 'large ')
  other.write(framed(large))
  other.write(Buffer.concat([framed(Buffer.from('one')), framed(Buffer.from('two'))]))
  other.end()
  await once(socket, 'end')
  expect(answers.map((answer) => answer.length - 4)).toEqual([large.length, 3, 3])
  expect(answers[0]?.subarray(4).equals(large)).toBe(true)
  expect(answers[2]?.subarray(4).toString()).toBe('two')
})

test('breaks with one that does not speak Kafka', async () => {
  const { socket, other } = await pair()
  const broke = once(socket, 'error')
  other.write('HTTP/1.1 400 Bad Request\r\n')
  expect(await broke).toMatchObject([{ message: 'an answer that cannot be one of Kafka' }])
})
