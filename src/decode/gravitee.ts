import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const gravitee: Format = {
  name: 'gravitee',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format gravitee cannot be read yet'),
}
