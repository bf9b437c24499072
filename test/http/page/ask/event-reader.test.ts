import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EventReader } from '../../../../src/http/page/ask/event-reader.ts'

const stream = [
  'retry: 2000\n\n',
  ': heartbeat\n\n',
  'event: live\r\ndata: {"at":\r\ndata: null}\r\n\r\n',
  'data: plain\n\n',
  'event: nothing to say\n\n',
  'event:alerts\ndata:\u{1f511} ü\n\n',
].join('')

const events = [
  { event: 'live', data: '{"at":\nnull}' },
  { event: 'message', data: 'plain' },
  { event: 'alerts', data: '\u{1f511} ü' },
]

test('gives each event when it is complete', () => {
  const reader = new EventReader()
  expect(reader.push('event: live\ndata: 1\n')).toEqual([])
  expect(reader.push('\n')).toEqual([{ event: 'live', data: '1' }])
})

test('gives the same events however the stream is cut', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(stream.length), { maxLength: 20 }), (cuts) => {
      const reader = new EventReader()
      const places = [0, ...cuts.sort((a, b) => a - b), stream.length]
      const pieces = places.slice(1).map((end, i) => stream.slice(places[i], end))
      expect(pieces.flatMap((piece) => reader.push(piece))).toEqual(events)
    }),
  )
})
