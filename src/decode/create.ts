import { gunzipSync } from 'node:zlib'
import { AutoReader } from './auto.ts'
import type { Decoder } from './decode.ts'
import { unreadable } from './format.ts'
import { formatNamed } from './formats.ts'
import { FixedReader } from './layout-reader.ts'
import { openValue, readWhole } from './open.ts'
import type { DecodeOptions } from './options.ts'

/** Makes a decoder for one lane. With `auto` it learns that lane's layout, so lanes must not share one. */
export function createDecoder(options: DecodeOptions): Decoder {
  const reader =
    options.format === 'auto' ? new AutoReader(options) : new FixedReader(formatNamed(options.format), options)
  return {
    get layout() {
      return reader.layout
    },
    get state() {
      return reader.state
    },
    get plain() {
      return reader.plain
    },
    get names() {
      return reader.names
    },
    labelAt: (kind, place, text) => reader.labelAt(kind, place, text),
    decode(value) {
      if (value === null || value.length === 0) return [unreadable(0, 'empty', 'the value is empty')]
      if (value.length > options.max_value_bytes) {
        const message = `the value has more than ${options.max_value_bytes} bytes (decode.max_value_bytes)`
        return [unreadable(0, 'too-large', message)]
      }
      const bytes = isGzip(value) ? unzipped(value, options.max_value_bytes) : value
      if (bytes === 'too-large' || bytes === 'not-utf8') {
        const message =
          bytes === 'too-large' ? `the value unzips to more than ${options.max_value_bytes} bytes` : brokenZip
        return [unreadable(0, bytes, message)]
      }
      const text = textOf(bytes)
      if (text === null) return [unreadable(0, 'not-utf8', 'the value is no UTF-8 text')]
      return openValue(text, reader)
    },
    readObject: (entry) => readWhole(entry, reader),
  }
}

const brokenZip = 'the value begins like gzip and cannot be unzipped'

/** CloudWatch hands on its events zipped one by one, whatever the topic's own compression. */
function isGzip(value: Uint8Array): boolean {
  return value[0] === 0x1f && value[1] === 0x8b
}

function unzipped(value: Uint8Array, limit: number): Uint8Array | 'too-large' | 'not-utf8' {
  try {
    return gunzipSync(value, { maxOutputLength: limit })
  } catch (error) {
    return (error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'not-utf8'
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

function textOf(value: Uint8Array): string | null {
  try {
    return utf8.decode(value)
  } catch {
    return null
  }
}
