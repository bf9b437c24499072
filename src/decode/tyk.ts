import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const tyk: Format = {
  name: 'tyk',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format tyk cannot be read yet'),
}
