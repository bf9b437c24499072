import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const wso2: Format = {
  name: 'wso2',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format wso2 cannot be read yet'),
}
