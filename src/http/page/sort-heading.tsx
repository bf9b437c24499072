/** The head of a column that sorts the table when clicked. */
export function SortHeading(props: {
  readonly label: string
  readonly numeric?: boolean
  /** Null while another column decides. */
  readonly sorted: 'ascending' | 'descending' | null
  readonly onSort: () => void
}) {
  const { sorted } = props
  return (
    <th scope="col" aria-sort={sorted ?? 'none'} class={props.numeric === true ? 'number' : ''}>
      <button type="button" class="sort" onClick={props.onSort}>
        {props.label}
        <span aria-hidden="true">{sorted === null ? '' : sorted === 'ascending' ? ' ↑' : ' ↓'}</span>
      </button>
    </th>
  )
}
