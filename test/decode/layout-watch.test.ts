import { expect, test } from 'vitest'
import type { FormatName, Layout } from '../../src/decode/decode.ts'
import { LayoutWatch } from '../../src/decode/layout-watch.ts'

const layout = (format: FormatName, ...marks: string[]): Layout => ({ format, marks })

test('tells the first layout of a lane, and by which keys it was told', () => {
  const watch = new LayoutWatch()
  expect(watch.news(null)).toBeNull()
  expect(watch.news(layout('kong', 'latencies', 'started_at'))).toBe(
    'the layout is kong, told by latencies, started_at',
  )
  expect(watch.news(layout('kong', 'latencies', 'started_at'))).toBeNull()
})

test('tells a change, and of a mixed topic each change once', () => {
  const watch = new LayoutWatch()
  watch.news(layout('kong', 'latencies'))
  expect(watch.news(layout('nginx'))).toBe('the layout changed from kong to nginx, told by its text')
  expect(watch.news(layout('kong', 'latencies'))).toBe('the layout changed from nginx to kong, told by latencies')
  expect(watch.news(layout('nginx'))).toBeNull()
  expect(watch.news(layout('kong', 'latencies'))).toBeNull()
})
