import type { Format } from './format.ts'
import { objectsIn } from './json.ts'
import { readNginxText } from './nginx-text.ts'
import { plainVariables, readVariables, variableMarks, variablePaths, variableTenants } from './variables.ts'

/**
 * NGINX, OpenResty and ingress-nginx: a JSON `log_format`, also inside a wrapper object one level down, and lines of
 * text.
 */
export const nginx: Format = {
  name: 'nginx',
  tenant: variableTenants,
  api: variablePaths,
  service: ['proxy_upstream_name', 'service_name', 'upstream_name'],

  plain: () => plainVariables,

  marksOf(entry) {
    const marks = variableMarks(entry)
    if (marks !== null) return marks
    for (const [, inner] of objectsIn(entry)) {
      const found = variableMarks(inner)
      if (found !== null) return found
    }
    return null
  },

  read: (entry, index, settings) => readVariables('nginx', entry, index, { settings, depth: 1 }),
  readText: readNginxText,
}
