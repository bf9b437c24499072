import { render } from 'preact'
import { App } from './app.tsx'
import './style/base.css'
import './style/frame.css'
import './style/controls.css'
import './style/table.css'
import './style/alerts.css'
import './style/chart.css'
import './style/views.css'
import './style/narrow.css'

const root = document.getElementById('app')
if (root !== null) {
  root.replaceChildren()
  render(<App />, root)
}
