import { apipark } from './apipark.ts'
import { apisix } from './apisix.ts'
import { custom } from './custom.ts'
import type { FormatName } from './decode.ts'
import { envoy } from './envoy.ts'
import type { Format } from './format.ts'
import { kong } from './kong.ts'
import { nginx } from './nginx.ts'

/**
 * Every layout that can be read, in the order in which `auto` tries them: the ones with unmistakable keys first, the
 * loose conventions last. A new layout is one file and one line here.
 */
export const formats: readonly Format[] = [kong, apisix, apipark, envoy, nginx, custom]

/** The layout of a name, or null while it cannot be read yet. */
export function formatNamed(name: FormatName): Format | null {
  return formats.find((format) => format.name === name) ?? null
}
