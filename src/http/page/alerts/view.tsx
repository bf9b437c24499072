import { useServerNow } from '../ask/feed-root.tsx'
import { Choice } from '../choice.tsx'
import { useNavigation } from '../navigation.tsx'
import { alertTabs } from '../view.ts'
import { Active } from './active.tsx'
import { Detail } from './detail.tsx'
import { History } from './history.tsx'
import { Silences } from './silences.tsx'

/** What fires, what is held back, what was; and one of them in full. */
export function AlertsView() {
  const { view, go } = useNavigation()
  const now = useServerNow() ?? 0
  if (view.alert !== undefined) return <Detail fingerprint={view.alert} now={now} />
  return (
    <>
      <div class="bar">
        <Choice label="Show" words={alertTabs} chosen={view.tab} onChoose={(tab) => go({ tab }, true)} />
      </div>
      {view.tab === 'active' ? <Active now={now} /> : null}
      {view.tab === 'silences' ? <Silences now={now} /> : null}
      {view.tab === 'history' ? <History now={now} /> : null}
    </>
  )
}
