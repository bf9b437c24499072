import type { AccessRecord, Origin } from './decode.ts'
import type { DottedPath } from './json.ts'
import type { KeyList } from './key-list.ts'
import { labelOf } from './label.ts'
import { templateOf } from './path-template.ts'
import type { Candidates, Settings } from './settings.ts'

/** The value at a place of one record, however its layout keeps it; undefined where there is none. */
export type Lookup = (place: DottedPath) => unknown

/** What a record is called, and where that stood. */
export type Names = Pick<AccessRecord, 'tenant' | 'api' | 'origin'>

/**
 * What a record is called, each by the first of its places that holds a name, and where that was.
 *
 * @param keys of the entry, where names are looked for at no other places than below them; only to be faster
 */
export function namesOf(look: Lookup, settings: Settings, keys: KeyList | null = null): Names {
  return new FoundNames(look, settings, keys)
}

type NameReader = (value: unknown, settings: Settings) => string | null

class FoundNames implements Names {
  readonly tenant: string | null
  readonly api: string | null
  readonly #look: Lookup
  readonly #settings: Settings

  constructor(look: Lookup, settings: Settings, keys: KeyList | null) {
    this.#look = look
    this.#settings = settings
    const { tenant, api } = settings
    this.tenant = nameAt(look, keys === null ? tenant : tenant.among(keys), settings, labelOf)?.name ?? null
    this.api = nameAt(look, keys === null ? api : api.among(keys), settings, apiName)?.name ?? null
  }

  origin(): Origin {
    const look = this.#look
    const settings = this.#settings
    return {
      get service() {
        return nameAt(look, settings.service, settings, labelOf)?.name ?? null
      },
      get tenantPlace() {
        return nameAt(look, settings.tenant, settings, labelOf)?.place ?? null
      },
      get apiPlace() {
        return nameAt(look, settings.api, settings, apiName)?.place ?? null
      },
    }
  }
}

function nameAt(
  look: Lookup,
  { paths, own }: Candidates,
  settings: Settings,
  read: NameReader,
): { readonly name: string; readonly place: string } | null {
  for (let i = 0; i < paths.length; i++) {
    const path = paths[i]
    if (path === undefined) continue
    const value = look(path)
    if (value === undefined) continue
    const name = read(value, settings)
    if (name === null) continue
    // What the operator points at is his word; only the layout's own places have placeholders.
    if (i >= own && settings.accepts !== null && !settings.accepts(name, path.text, look)) continue
    return { name, place: path.text }
  }
  return null
}

/** The label that a text gets as a name at one of the places; null where it is none, or where more than it decides. */
export function labelAt(kind: 'tenant' | 'api', place: string, text: string, settings: Settings): string | null {
  const { paths, own } = settings[kind]
  const at = paths.findIndex((path) => path.text === place)
  if (at < 0) return null
  const name = kind === 'tenant' ? labelOf(text) : apiName(text, settings)
  if (name === null || at < own || settings.accepts === null) return name
  return settings.accepts(name, place, () => undefined) ? name : null
}

/** A name as it is, or a path without its query and its ids. */
export function apiName(value: unknown, { pathRules, template }: Settings): string | null {
  return isPath(value) ? templateOf(value, pathRules, template) : labelOf(value)
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && (value.startsWith('/') || /^https?:\/\//.test(value))
}
