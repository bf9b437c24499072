import type { z } from 'zod'
import { configSchema } from '../../src/config/schema.ts'

/** One key of tollwatch.yaml. */
interface Setting {
  /** With dots; items of lists are `[]`. */
  readonly path: string
  /** The default it has of its own; undefined where there is none. */
  readonly fallback: unknown
}

/** Every key of tollwatch.yaml with its default. */
export function settings(): ReadonlyMap<string, unknown> {
  const found = new Map<string, unknown>()
  for (const { path, fallback } of keysOf(configSchema)) {
    if (fallback !== undefined || !found.has(path)) found.set(path, fallback)
  }
  return found
}

function keysOf(schema: z.core.$ZodType, path = '', fallback?: unknown): readonly Setting[] {
  const { def } = schema._zod as z.core.$ZodTypes['_zod']
  switch (def.type) {
    case 'default':
      return keysOf(def.innerType, path, def.defaultValue)
    case 'prefault':
    case 'optional':
      return keysOf(def.innerType, path, fallback)
    case 'pipe':
      return keysOf(def.in, path, fallback)
    case 'object': {
      const inner = Object.entries(def.shape).flatMap(([key, one]) => keysOf(one, path === '' ? key : `${path}.${key}`))
      return path === '' ? inner : [{ path, fallback }, ...inner]
    }
    case 'array':
      return [{ path, fallback }, ...keysOf(def.element, `${path}[]`)]
    case 'union':
      return def.options.flatMap((option) => keysOf(option, path, fallback))
    default:
      return [{ path, fallback }]
  }
}
