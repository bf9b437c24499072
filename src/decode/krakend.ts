import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const krakend: Format = {
  name: 'krakend',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format krakend cannot be read yet'),
}
