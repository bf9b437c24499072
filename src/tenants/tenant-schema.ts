import { z } from 'zod'
import { isTimezone } from '../time/local-time.ts'
import { expiryOf } from './expiry.ts'

const most = { text: 200, purposes: 20, addresses: 20 }

/** An empty text is the same as none. */
const words = z
  .string({ error: 'must be text' })
  .trim()
  .max(most.text, `is longer than ${most.text} characters`)
  .transform((text) => (text === '' ? null : text))

const timezone = words.refine(
  (zone) => zone === null || isTimezone(zone),
  'is no time zone; zones are named like Europe/Berlin',
)

const expires = words.refine(
  (text) => text === null || expiryOf(text, 'UTC') !== null,
  'is neither a day such as 2026-12-31 nor an instant with its zone such as 2026-12-31T18:00:00Z',
)

const address = z
  .string({ error: 'must be a mail address or a list of them' })
  .trim()
  .regex(/^[^\s@<>,;"]{1,64}@[^\s@<>,;"]{1,190}$/, 'is no mail address')

const addresses = z
  .union([address.transform((one) => [one]), z.array(address).max(most.addresses)], {
    error: 'must be a mail address or a list of them',
  })
  .transform((list): readonly string[] => list)

const purpose = z.string().regex(/^[a-z][a-z0-9_-]{0,39}$/i, 'is no plain word such as billing')

const contacts = z
  .record(purpose, addresses, { error: 'must be purposes, such as billing, each with mail addresses' })
  .refine((record) => Object.keys(record).length <= most.purposes, `has more than ${most.purposes} purposes`)

/** What may stand under the id of one tenant. */
export const tenantSchema = z.strictObject(
  {
    name: words.optional(),
    plan: words.optional(),
    timezone: timezone.optional(),
    contacts: contacts.optional(),
    expires: expires.optional(),
  },
  {
    error: (issue) =>
      issue.code === 'unrecognized_keys' ? undefined : 'must be a group of name, plan, timezone, contacts and expires',
  },
)
