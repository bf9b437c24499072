import { z } from 'zod'
import { isHttp } from './links.ts'

const address = z.string().refine(isHttp, { error: 'is no http or https address' })

/** Settings under `notify:`; routes and receivers stand in the file it names. */
export const notifyOptions = z.strictObject({
  file: z
    .string()
    .min(1)
    .optional()
    .describe(
      'Routes and receivers; copy alerts/notify.yaml, which holds without one: notifications then go to the log.',
    ),
  page_url: address
    .optional()
    .describe('How readers of messages reach the page; without it, the address that http.listen gives.'),
  runbook_url: z
    .string()
    .min(1)
    .default('alerts/runbooks/')
    .describe('The folder of the runbooks: an http address makes links, a path is shown as text.'),
  dashboard_url: address
    .optional()
    .describe('A Grafana dashboard that takes var-tenant, var-api and var-cause; messages then link to it.'),
  operator_name: z.string().min(1).max(80).optional().describe('Who signs the messages that tenants get themselves.'),
  operator_contact: z
    .string()
    .min(1)
    .max(200)
    .optional()
    .describe('Whom a tenant may ask: an address or a mail address.'),
})

export type NotifyOptions = z.output<typeof notifyOptions>
