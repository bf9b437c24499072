import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const litellm: Format = {
  name: 'litellm',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format litellm cannot be read yet'),
}
