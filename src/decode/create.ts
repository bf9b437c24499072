import { AutoReader } from './auto.ts'
import type { Decoded, Decoder, FormatName } from './decode.ts'
import { unreadable } from './format.ts'
import { formatNamed, formats } from './formats.ts'
import type { JsonObject } from './json.ts'
import { type EntryReader, openValue } from './open.ts'
import type { DecodeOptions } from './options.ts'
import { settingsFor } from './settings.ts'

/** Makes a decoder for one lane. With `auto` it learns that lane's layout, so lanes must not share one. */
export function createDecoder(options: DecodeOptions): Decoder {
  const reader = options.format === 'auto' ? new AutoReader(options) : readerOf(options.format, options)
  return {
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

function readerOf(name: FormatName, options: DecodeOptions): EntryReader {
  const format = formatNamed(name)
  if (format === null) {
    const names = formats.map((known) => known.name).join(', ')
    const message = `format ${name} cannot be read yet; supported are ${names} and auto`
    const refuse = (_: unknown, index: number): Decoded => unreadable(index, 'unsupported-format', message)
    return { object: refuse, text: refuse }
  }
  const settings = settingsFor(format.name, options)
  return {
    object: (entry: JsonObject, index: number) => format.read(entry, index, settings),
    text: (text: string, index: number) => format.readText?.(text, index, settings) ?? null,
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
