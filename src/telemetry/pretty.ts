const colours: Readonly<Record<string, string>> = {
  debug: '\u001b[2m',
  info: '\u001b[36m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
}
const plain = '\u001b[0m'

/** Turns one JSON log line into one line for a terminal: `12:00:01 WARN  message key=value`. */
export function prettyLine(line: string): string {
  const { level, time, message, ...fields } = JSON.parse(line) as Record<string, unknown>
  const name = String(level)
  const rest = Object.entries(fields).map(([key, value]) => ` ${key}=${valueText(value)}`)
  const clockTime = String(time).slice(11, 19)
  return `${clockTime} ${colours[name] ?? ''}${name.toUpperCase().padEnd(5)}${plain} ${oneLine(String(message))}${rest.join('')}\n`
}

function valueText(value: unknown): string {
  if (typeof value === 'string' && /^[\w.:/@+-]+$/.test(value)) return value
  return JSON.stringify(value) ?? 'undefined'
}

/** Control characters in a message could forge lines or drive the terminal. */
function oneLine(text: string): string {
  return [...text].map((char) => (char < ' ' || char === '\u007f' ? ' ' : char)).join('')
}
