import { AutoReader } from './auto.ts'
import type { Decoder } from './decode.ts'
import { unreadable } from './format.ts'
import { formatNamed } from './formats.ts'
import { FixedReader } from './layout-reader.ts'
import { openValue } from './open.ts'
import type { DecodeOptions } from './options.ts'

/** Makes a decoder for one lane. With `auto` it learns that lane's layout, so lanes must not share one. */
export function createDecoder(options: DecodeOptions): Decoder {
  const reader =
    options.format === 'auto' ? new AutoReader(options) : new FixedReader(formatNamed(options.format), options)
  return {
    get layout() {
      return reader.layout
    },
    decode(value) {
      if (value === null || value.length === 0) return [unreadable(0, 'empty', 'the value is empty')]
      if (value.length > options.max_value_bytes) {
        const message = `the value has more than ${options.max_value_bytes} bytes (decode.max_value_bytes)`
        return [unreadable(0, 'too-large', message)]
      }
      const text = textOf(value)
      if (text === null) return [unreadable(0, 'not-utf8', 'the value is no UTF-8 text')]
      return openValue(text, reader)
    },
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
