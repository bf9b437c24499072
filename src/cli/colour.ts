import type { Terminal } from './terminal.ts'

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 } as const

export type Colour = keyof typeof codes

/** Colours a text, where there is somebody to see it: https://no-color.org. */
export type Paint = (text: string, colour: Colour) => string

export function paintOn({ stdout }: Terminal, environment: NodeJS.ProcessEnv = process.env): Paint {
  const plain = stdout.isTTY !== true || (environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb'
  return plain ? (text) => text : (text, colour) => `\u001b[${codes[colour]}m${text}\u001b[0m`
}

/** Signs that would move the cursor, change colours or turn text round. Names come from logs, so anybody may have written them. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const unprintable = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g

export function printable(text: string): string {
  return text.replace(unprintable, '\ufffd')
}
