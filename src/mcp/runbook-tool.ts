import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { causes } from '../classify/cause.ts'
import { adviceOn, stalledAdvice } from '../notify/runbook.ts'
import { tool } from './tool.ts'

const folder = new URL('../../alerts/runbooks/', import.meta.url)

/** The causes, and an input that stands still, which has a runbook too. */
const names = [...causes, 'input_stalled'] as const

export const readRunbook = tool({
  name: 'read_runbook',
  title: 'What to do about a cause',
  description:
    'The runbook of a cause of HTTP 402: what it means, how to tell it from others, what to do for the tenant and for good. Use it once the cause is known, before advising anybody. input_stalled is for a gateway whose logs no longer arrive.',
  input: z.strictObject({ cause: z.enum(names) }),
  answer: z.object({
    cause: z.string(),
    likely: z.string(),
    steps: z.array(z.string()),
    runbook: z.string().describe('Markdown.'),
  }),
  run: async ({ cause }) => {
    const runbook = await readFile(new URL(`${cause}.md`, folder), 'utf8')
    const { likely, steps } = cause === 'input_stalled' ? stalledAdvice : adviceOn[cause]
    return { data: { cause, likely, steps: [...steps], runbook }, text: runbook }
  },
})
