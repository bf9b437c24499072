import { z } from 'zod'
import { Problem } from '../http/problem.ts'
import type { Desk } from './desk.ts'

/** What a tool answers: data for programs, and the same as a few sentences. */
export interface ToolAnswer<Data = unknown> {
  readonly data: Data
  readonly text: string
}

/** One question that an assistant may ask. None changes anything. */
export interface Tool {
  readonly name: string
  readonly title: string
  /** Written for an assistant: when to use it, and what its numbers mean. */
  readonly description: string
  readonly input: z.ZodObject
  readonly answer: z.ZodObject
  run(input: unknown, desk: Desk): Promise<ToolAnswer>
}

interface Spec<Input extends z.ZodObject, Answer extends z.ZodObject> {
  readonly name: string
  readonly title: string
  readonly description: string
  readonly input: Input
  readonly answer: Answer
  readonly run: (input: z.output<Input>, desk: Desk) => Promise<ToolAnswer<z.input<Answer>>>
}

/** Puts a tool together; it runs only with what its schema lets through. */
export function tool<Input extends z.ZodObject, Answer extends z.ZodObject>(spec: Spec<Input, Answer>): Tool {
  return { ...spec, run: (input, desk) => spec.run(spec.input.parse(input), desk) }
}

/** What cannot be answered, in words for the assistant. */
export function notFound(message: string): Problem {
  return new Problem(404, message)
}

export const shareText = (ratio: number | null) => (ratio === null ? 'no requests' : `${(ratio * 100).toFixed(2)} %`)

/** How many rows, from 1 to `most`. */
export const limitInput = (most: number, standard: number) =>
  z.int().min(1).max(most).default(standard).describe(`How many at most, 1 to ${most}.`)
