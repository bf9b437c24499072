import type { z } from 'zod'

type Issue = z.core.$ZodIssue

/** One thing that is wrong with the settings, in words for people, and how to mend it. */
export interface Complaint {
  readonly path: readonly PropertyKey[]
  readonly message: string
  readonly fix: string
}

const example = 'tollwatch.example.yaml'

/** Says what the schema found. None of the words repeats a value of the file: it may be a secret. */
export function complaintsOf(issue: Issue): readonly Complaint[] {
  switch (issue.code) {
    case 'unrecognized_keys':
      // Each by itself, so that it is reported on the line where it stands.
      return issue.keys.map((key) => ({
        path: [...issue.path, key],
        message: `there is no setting "${key}"`,
        fix: `correct its spelling or remove it; ${example} lists every setting`,
      }))
    case 'invalid_union':
      return ofUnion(issue)
    case 'invalid_type':
      return [wrongType(issue.path, [issue])]
    case 'invalid_value':
      return [{ path: issue.path, message: 'is not known', fix: `use one of ${issue.values.map(String).join(', ')}` }]
    default:
      return [{ path: issue.path, message: reworded(issue), fix: `see ${example} for this setting` }]
  }
}

/** A value may have one of several shapes. If one of them fits on the outside, what is wrong lies inside. */
function ofUnion(issue: Extract<Issue, { code: 'invalid_union' }>): readonly Complaint[] {
  const isOutside = (inner: Issue) => inner.path.length === 0 && inner.code === 'invalid_type'
  const fitting = issue.errors.find((branch) => !branch.some(isOutside))
  if (fitting === undefined) return [wrongType(issue.path, issue.errors.flat().filter(isOutside))]
  return fitting.flatMap(complaintsOf).map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }))
}

const shapes: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a group of settings',
  record: 'a group of settings',
}

function wrongType(path: readonly PropertyKey[], issues: readonly Issue[]): Complaint {
  if (issues.some(({ message }) => message.endsWith('received undefined'))) {
    return { path, message: 'is missing', fix: `add it; ${example} shows how` }
  }
  const expected = issues.flatMap((one) => (one.code === 'invalid_type' ? [shapes[one.expected] ?? one.expected] : []))
  const message = `must be ${[...new Set(expected)].join(' or ')}`
  return { path, message, fix: `see ${example} for this setting` }
}

/** The library's own words name types and operators; texts of ours come through as they are. */
function reworded(issue: Issue): string {
  if (issue.code === 'invalid_format' && issue.format === 'url') return 'is no http or https address'
  const standard = /^(?:Too small|Too big|Invalid)/.test(issue.message)
  if (issue.code === 'too_small' && standard) {
    return isNumber(issue.origin) ? `must be ${issue.minimum} or more` : 'is empty'
  }
  if (issue.code === 'too_big' && standard) {
    return isNumber(issue.origin) ? `must be ${issue.maximum} or less` : `is longer than ${issue.maximum}`
  }
  return issue.message
}

function isNumber(origin: string): boolean {
  return origin === 'number' || origin === 'int'
}
