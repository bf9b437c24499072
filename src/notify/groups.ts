import type { Alert } from '../alert/alert.ts'
import type { StateEntry, StateStore } from '../history/state.ts'
import type { EpochMs } from '../time/clock.ts'
import type { Group, Member } from './group.ts'

/** A group with its alerts by episode. */
export interface GroupState {
  readonly group: Group
  readonly members: ReadonlyMap<string, Member>
}

/**
 * All groups, in memory and in the store (kind `group`; `g:ID` is a group, `m:ID:EPISODE` one of its alerts, so that a
 * change writes what changed and not the whole group). Changes are made in a `Draft`: the store takes the draft first,
 * then `apply` makes it true here, so memory never runs ahead of what survives a crash.
 */
export class Groups {
  readonly #groups = new Map<string, { group: Group; members: Map<string, Member> }>()
  readonly #places = new Places()
  #members = 0

  static async load(store: StateStore): Promise<Groups> {
    const groups = new Groups()
    const stored = await store.load('group')
    const draft = groups.draft()
    for (const [key, value] of stored) if (key.startsWith('g:')) draft.setGroup(JSON.parse(value) as Group)
    for (const [key, value] of stored) {
      if (!key.startsWith('m:')) continue
      const [, id = ''] = key.split(':', 2)
      if (draft.get(id) !== undefined) draft.setMember(id, JSON.parse(value) as Member)
    }
    groups.apply(draft)
    return groups
  }

  get size(): number {
    return this.#groups.size
  }

  /** Alerts over all groups; one that two groups hold counts twice. */
  get memberCount(): number {
    return this.#members
  }

  get(id: string): GroupState | undefined {
    return this.#groups.get(id)
  }

  values(): Iterable<GroupState> {
    return this.#groups.values()
  }

  /** By fingerprint, which groups hold which episodes. */
  get places(): Places {
    return this.#places
  }

  draft(): Draft {
    return new Draft(this)
  }

  apply(draft: Draft): void {
    for (const [id, group] of draft.groups) {
      const state = this.#groups.get(id)
      if (group === null) {
        for (const member of state?.members.values() ?? []) this.#forget(id, member)
        this.#groups.delete(id)
      } else if (state === undefined) this.#groups.set(id, { group, members: new Map() })
      else state.group = group
    }
    for (const [id, members] of draft.members) {
      const state = this.#groups.get(id)
      if (state === undefined) continue
      for (const [episode, member] of members) this.#put(id, state.members, episode, member)
    }
  }

  #put(id: string, members: Map<string, Member>, episode: string, member: Member | null): void {
    const before = members.get(episode)
    if (member === null) {
      if (before === undefined) return
      members.delete(episode)
      this.#forget(id, before)
      return
    }
    members.set(episode, member)
    if (before === undefined) this.#members++
    this.#places.add(member.alert.fingerprint, id, episode)
  }

  #forget(id: string, member: Member): void {
    this.#members--
    this.#places.remove(member.alert.fingerprint, id, member.alert.episode)
  }
}

/** An index from fingerprints to groups and from there to episodes. */
class Places {
  readonly #byFingerprint = new Map<string, Map<string, Set<string>>>()

  groups(fingerprint: string): Iterable<string> {
    return this.#byFingerprint.get(fingerprint)?.keys() ?? []
  }

  episodes(fingerprint: string, id: string): Iterable<string> {
    return this.#byFingerprint.get(fingerprint)?.get(id) ?? []
  }

  add(fingerprint: string, id: string, episode: string): void {
    const groups = this.#byFingerprint.get(fingerprint) ?? new Map<string, Set<string>>()
    this.#byFingerprint.set(fingerprint, groups)
    const episodes = groups.get(id) ?? new Set<string>()
    groups.set(id, episodes.add(episode))
  }

  remove(fingerprint: string, id: string, episode: string): void {
    const groups = this.#byFingerprint.get(fingerprint)
    const episodes = groups?.get(id)
    episodes?.delete(episode)
    if (episodes?.size === 0) groups?.delete(id)
    if (groups?.size === 0) this.#byFingerprint.delete(fingerprint)
  }
}

/** Changes to groups that are not true yet; reading through it sees them already. */
export class Draft {
  readonly groups = new Map<string, Group | null>()
  readonly members = new Map<string, Map<string, Member | null>>()
  readonly #base: Groups
  readonly #places = new Places()
  #addedGroups = 0
  #added = 0

  constructor(base: Groups) {
    this.#base = base
  }

  /** Groups and alerts there will be. */
  get size(): number {
    return this.#base.size + this.#addedGroups
  }

  get memberCount(): number {
    return this.#base.memberCount + this.#added
  }

  get(id: string): Group | undefined {
    const changed = this.groups.get(id)
    return changed === null ? undefined : (changed ?? this.#base.get(id)?.group)
  }

  membersOf(id: string): ReadonlyMap<string, Member> {
    const base = this.#base.get(id)?.members
    const changed = this.members.get(id)
    if (changed === undefined) return base ?? new Map()
    const merged = new Map(base)
    for (const [episode, member] of changed) {
      if (member === null) merged.delete(episode)
      else merged.set(episode, member)
    }
    return merged
  }

  member(id: string, episode: string): Member | undefined {
    const changed = this.members.get(id)?.get(episode)
    return changed === null ? undefined : (changed ?? this.#base.get(id)?.members.get(episode))
  }

  /** The alerts of a group that have this fingerprint, one for each episode. */
  episodesOf(id: string, fingerprint: string): readonly Member[] {
    const episodes = new Set([
      ...this.#base.places.episodes(fingerprint, id),
      ...this.#places.episodes(fingerprint, id),
    ])
    return [...episodes].flatMap((episode) => this.member(id, episode) ?? [])
  }

  /** The groups that hold or held an alert of this fingerprint. */
  holders(fingerprint: string): readonly string[] {
    return [...new Set([...this.#base.places.groups(fingerprint), ...this.#places.groups(fingerprint)])]
  }

  setGroup(group: Group): void {
    if (this.get(group.id) === undefined) this.#addedGroups++
    this.groups.set(group.id, group)
  }

  setMember(id: string, member: Member): void {
    if (this.member(id, member.alert.episode) === undefined) this.#added++
    this.#changes(id).set(member.alert.episode, member)
    this.#places.add(member.alert.fingerprint, id, member.alert.episode)
  }

  removeMember(id: string, episode: string): void {
    this.#changes(id).set(episode, null)
  }

  /** Takes the group and its alerts away. */
  removeGroup(id: string): void {
    for (const episode of this.membersOf(id).keys()) this.removeMember(id, episode)
    this.groups.set(id, null)
  }

  entries(): StateEntry[] {
    const entries: StateEntry[] = []
    for (const [id, group] of this.groups) entries.push({ kind: 'group', key: `g:${id}`, value: text(group) })
    for (const [id, members] of this.members) {
      for (const [episode, member] of members)
        entries.push({ kind: 'group', key: `m:${id}:${episode}`, value: text(member) })
    }
    return entries
  }

  #changes(id: string): Map<string, Member | null> {
    const changes = this.members.get(id) ?? new Map<string, Member | null>()
    this.members.set(id, changes)
    return changes
  }
}

/**
 * Takes away what is done with for so long that no input repeated after a restart will name it, and that is not needed
 * for anything else.
 */
export function removeDone(
  groups: Groups,
  draft: Draft,
  { isOld, isNeeded }: { isOld: (sinceMs: EpochMs) => boolean; isNeeded: (alert: Alert) => boolean },
): void {
  for (const { group, members } of groups.values()) {
    let left = members.size
    for (const member of members.values()) {
      if (member.doneAtMs === null || !isOld(member.doneAtMs) || isNeeded(member.alert)) continue
      draft.removeMember(group.id, member.alert.episode)
      left--
    }
    const hasSpoken = group.pending === null && group.folded === group.foldedTold
    if (left === 0 && hasSpoken && isOld(group.lastSentAtMs ?? group.startedAtMs)) draft.removeGroup(group.id)
  }
}

function text(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value)
}
