import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const traefik: Format = {
  name: 'traefik',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format traefik cannot be read yet'),
}
