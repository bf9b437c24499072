import { z } from 'zod'
import { duration } from '../time/setting.ts'

const tlsOptions = z.strictObject({
  ca_file: z.string().optional(),
  cert_file: z.string().optional(),
  key_file: z.string().optional(),
  verify: z.boolean().default(true).describe('Check the broker certificate; leave it on.'),
})

const saslOptions = z.strictObject({
  mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']),
  username: z.string().min(1),
  password: z.string().default('').describe('Give it as ${ENV_VAR} or use password_file.'),
  password_file: z.string().optional(),
})

const listOf = (what: string) =>
  z
    .union([z.string(), z.array(z.string().min(1)).min(1)])
    .transform((value) => (typeof value === 'string' ? value.split(',').map((part) => part.trim()) : value))
    .refine((list) => list.every((part) => part !== ''), { message: `name at least one ${what}` })

const kafkaOptions = z.strictObject({
  brokers: listOf('broker as host:port'),
  topic: listOf('topic'),
  group: z.string().min(1).default('tollwatch'),
  client_id: z.string().min(1).default('tollwatch'),
  session_timeout: duration('20s').describe(
    'After this long without a sign of life the group gives our partitions to others.',
  ),
  mode: z
    .enum(['single', 'keyed'])
    .default('single')
    .describe('single: one daemon reads all, others stand by. keyed: daemons share topics keyed by tenant.'),
  instance: z
    .string()
    .max(100)
    .default('')
    .describe('Name of this daemon among those that share topics in mode keyed.'),
  start: z.enum(['earliest', 'latest']).default('earliest').describe('Where a group begins that has no position yet.'),
  tls: z.union([z.boolean(), tlsOptions]).default(false),
  sasl: saslOptions.optional(),
})

const filesOptions = z.strictObject({
  paths: listOf('path'),
  follow: z.boolean().default(false).describe('Wait for more at the end of a file, also across rotation.'),
})

export const sourceOptions = z.strictObject({
  kafka: kafkaOptions.optional(),
  files: filesOptions.optional(),
  stdin: z.boolean().default(false),
})

export type SourceOptions = z.infer<typeof sourceOptions>
export type KafkaOptions = z.infer<typeof kafkaOptions>
export type KafkaMode = KafkaOptions['mode']
