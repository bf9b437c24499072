import { type ComponentChildren, createContext } from 'preact'
import { useContext } from 'preact/hooks'
import type { WhoAmI } from '../answers.ts'

const MeContext = createContext<WhoAmI | null>(null)

export function MeRoot({ me, children }: { readonly me: WhoAmI | null; readonly children: ComponentChildren }) {
  return <MeContext.Provider value={me}>{children}</MeContext.Provider>
}

/** Who the token belongs to; null until it is known. */
export function useMe(): WhoAmI | null {
  return useContext(MeContext)
}

/** Whether silences and the like can be set; the daemon decides in the end. */
export function mayOperate(me: WhoAmI | null): boolean {
  return me === null || me.scopes.includes('operate')
}
