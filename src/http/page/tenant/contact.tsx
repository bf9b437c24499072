import type { TenantAnswer } from '../answers.ts'

/** Whom to call; from the operator's directory of tenants. */
export function Contact({ about }: { readonly about: TenantAnswer | null }) {
  const contacts = Object.entries(about?.contact ?? {})
  return (
    <section aria-labelledby="contact">
      <h2 id="contact">Whom to write to</h2>
      {contacts.length === 0 ? (
        <p class="empty">
          No contact is known. Name one for this tenant in the file of <code>tenants.file</code>.
        </p>
      ) : (
        <dl class="facts-list">
          {contacts.map(([purpose, addresses]) => (
            <div key={purpose}>
              <dt>{purpose}</dt>
              {addresses.map((address) => (
                <dd key={address}>
                  <a href={`mailto:${encodeURIComponent(address)}`}>{address}</a>
                </dd>
              ))}
            </div>
          ))}
        </dl>
      )}
      {about?.timezone == null ? null : <p class="muted">Their time zone is {about.timezone}.</p>}
    </section>
  )
}
