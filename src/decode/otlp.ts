import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const otlp: Format = {
  name: 'otlp',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format otlp cannot be read yet'),
}
