import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const ecs: Format = {
  name: 'ecs',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format ecs cannot be read yet'),
}
