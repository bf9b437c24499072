import { useState } from 'preact/hooks'
import { saveToken } from '../ask/api.ts'

/** Asks for the token of a daemon that wants one; it is kept for this tab only. */
export function TokenForm({ problem, onToken }: { readonly problem: string; readonly onToken: () => void }) {
  const [token, setToken] = useState('')
  const onSubmit = (event: Event) => {
    event.preventDefault()
    saveToken(token.trim())
    onToken()
  }
  return (
    <form class="token" onSubmit={onSubmit}>
      <h2>This Tollwatch asks for its token</h2>
      <p class="muted">{problem}</p>
      <label>
        Token{' '}
        <input
          type="password"
          autocomplete="current-password"
          value={token}
          onInput={(event) => setToken(event.currentTarget.value)}
        />
      </label>{' '}
      <button type="submit">Show the page</button>
    </form>
  )
}
