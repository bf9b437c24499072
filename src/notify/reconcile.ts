import type { Log } from '../fault/log.ts'
import type { Member } from './group.ts'
import type { Draft, Groups } from './groups.ts'
import { Intake, type IntakeContext, placesOf } from './intake.ts'

/**
 * Fits the stored groups to the routes of today, which may differ from those of the last run. Every alert that fires
 * ends up where it belongs now, so that a new receiver hears of it; a receiver that was told before is not told again,
 * only, if its routes no longer take the alert, of the end.
 */
export function reconcile(
  groups: Groups,
  context: Omit<IntakeContext, 'isMuted'> & { readonly isPending: (entry: string) => boolean; readonly log: Log },
): Draft {
  const { routing } = context
  const draft = groups.draft()
  const intake = new Intake(draft, { ...context, isMuted: () => false })
  const integrations = new Set(
    [...routing.receivers.values()].flatMap((list) => list.map((integration) => integration.key)),
  )
  for (const { group } of groups.values()) {
    if (group.pending !== null && !context.isPending(group.pending)) draft.setGroup({ ...group, pending: null })
  }
  for (const { group, members } of groups.values()) {
    const gone = !integrations.has(group.integration)
    for (const member of members.values()) {
      if (member.doneAtMs !== null) continue
      if (member.alert.state === 'firing') place(member, group.id, group.integration, gone)
    }
    if (!gone) continue
    context.log.warn('a receiver is no longer configured; its alerts go where the routes lead now', {
      integration: group.integration,
    })
    draft.removeGroup(group.id)
  }
  return draft

  function place(member: Member, from: string, integration: string, gone: boolean): void {
    const places = placesOf(member.alert, routing, context.tenants)
    let stays = places.some((one) => one.id === from)
    for (const one of places) {
      if (draft.member(one.id, member.alert.episode) !== undefined) continue
      if (one.integration.key === integration) {
        if (stays) continue
        // The conversation moves with what was said in it: no second announcement.
        const lastSentAtMs = draft.get(from)?.lastSentAtMs ?? null
        intake.join(one, member)
        const joined = draft.get(one.id)
        if (joined !== undefined && joined.lastSentAtMs === null && member.told !== null)
          draft.setGroup({ ...joined, lastSentAtMs })
        draft.removeMember(from, member.alert.episode)
        stays = true
      } else if (toldThrough(one.integration.key, member) === undefined) {
        intake.join(one, { ...member, told: null })
      }
    }
    // Nothing was said yet and the routes lead elsewhere now.
    if (!stays && !gone && member.told === null) draft.removeMember(from, member.alert.episode)
  }

  /** The group of an integration that holds the alert already, under whatever route. */
  function toldThrough(integration: string, member: Member): string | undefined {
    return draft
      .holders(member.alert.fingerprint)
      .find((id) => draft.get(id)?.integration === integration && draft.member(id, member.alert.episode) !== undefined)
  }
}
