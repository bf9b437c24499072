import type { Format } from './format.ts'
import { isObject } from './json.ts'
import { looksLikeVariables, readVariables } from './variables.ts'

/** NGINX, OpenResty and ingress-nginx with a JSON `log_format`, also inside a wrapper object one level down. */
export const nginx: Format = {
  name: 'nginx',

  recognises(entry) {
    if (looksLikeVariables(entry)) return true
    for (const key in entry) {
      const inner = entry[key]
      if (isObject(inner) && looksLikeVariables(inner)) return true
    }
    return false
  },

  read: (entry, index, settings) => readVariables('nginx', entry, index, { settings, depth: 1, routeId: null }),
}
