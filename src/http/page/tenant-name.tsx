/** A tenant by the name that people know, its id on hover; by its id where no name is known. */
export function TenantName(props: {
  readonly tenant: string
  readonly name: string | null
  /** Writes the id out as well: another tenant has the same name. */
  readonly shared?: boolean
}) {
  const { tenant, name } = props
  if (name === null) return <>{tenant}</>
  return (
    <bdi title={tenant}>
      {name}
      {props.shared === true ? <span class="muted"> {tenant}</span> : null}
    </bdi>
  )
}
