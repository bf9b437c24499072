import assert from 'node:assert/strict'
import { apipark } from './apipark.ts'
import { apisix } from './apisix.ts'
import { awsApigw } from './aws-apigw.ts'
import { custom } from './custom.ts'
import type { FormatName } from './decode.ts'
import { ecs } from './ecs.ts'
import { envoy } from './envoy.ts'
import type { Format } from './format.ts'
import { gravitee } from './gravitee.ts'
import { kong } from './kong.ts'
import { krakend } from './krakend.ts'
import { litellm } from './litellm.ts'
import { nginx } from './nginx.ts'
import { otlp } from './otlp.ts'
import { traefik } from './traefik.ts'
import { tyk } from './tyk.ts'
import { wso2 } from './wso2.ts'

/**
 * Every layout, in the order in which `auto` tries them: the ones with unmistakable keys first, the loose conventions
 * last. A new layout is one file and one line here.
 */
export const formats: readonly Format[] = [
  ...[kong, apisix, apipark, otlp, gravitee, wso2, traefik, tyk, envoy, litellm, awsApigw, krakend, ecs, nginx, custom],
]

export function formatNamed(name: FormatName): Format {
  const found = formats.find((format) => format.name === name)
  assert(found !== undefined, 'every format name has a reader')
  return found
}
