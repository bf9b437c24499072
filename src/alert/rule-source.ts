import { readFile } from 'node:fs/promises'
import { onlyAt, parseYamlFile } from '../file/yaml-file.ts'
import type { Rule } from './rule.ts'

/**
 * A rule as people wrote it, as a file of its own that could be loaded or tried.
 *
 * @returns null where its file is gone, or has no such rule any more
 */
export async function ruleSource({ name, file }: Pick<Rule, 'name' | 'file'>): Promise<string | null> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch {
    return null
  }
  const parsed = parseYamlFile(text, file)
  const groups = parsed.ok ? listOf(parsed.yaml.value, 'groups') : []
  for (const [group, one] of groups.entries()) {
    const at = listOf(one, 'rules').findIndex((rule) => (rule['rule'] ?? rule['alert']) === name)
    if (at >= 0) return onlyAt(text, ['groups', group, 'rules', at])
  }
  return null
}

function listOf(value: unknown, key: string): readonly Readonly<Record<string, unknown>>[] {
  const list = isRecord(value) ? value[key] : null
  return Array.isArray(list) ? list.map((one: unknown) => (isRecord(one) ? one : {})) : []
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
