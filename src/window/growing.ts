type Numbers = Uint32Array | Int32Array | Float64Array

/** Steps in which arrays grow: doubling would leave up to half of the largest ones empty. */
const growth = 1.25
const fewest = 64

/**
 * An array that has room for `length` numbers: the old one, or a longer copy of it.
 *
 * @param empty what stands in the new places
 */
export function grown<Kind extends Numbers>(old: Kind, length: number, empty = 0): Kind {
  if (length <= old.length) return old
  const room = Math.max(fewest, length, Math.ceil(old.length * growth))
  const array = new (old.constructor as new (length: number) => Kind)(room)
  array.set(old)
  if (empty !== 0) array.fill(empty, old.length)
  return array
}
