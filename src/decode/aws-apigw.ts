import { type Format, unreadable } from './format.ts'

/** PLACEHOLDER: being written. */
export const awsApigw: Format = {
  name: 'aws-apigw',
  tenant: [],
  api: [],
  marksOf: () => null,
  read: (_, index) => unreadable(index, 'unsupported-format', 'format aws-apigw cannot be read yet'),
}
