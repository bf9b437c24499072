/** `x,y` pairs from left to right; the highest value touches the top, zero lies at the bottom. */
export function sparkPoints(
  values: readonly number[],
  box: { readonly width: number; readonly height: number },
): string {
  const top = Math.max(1, ...values)
  const apart = values.length > 1 ? box.width / (values.length - 1) : 0
  return values.map((value, i) => `${round(i * apart)},${round(1 + (1 - value / top) * (box.height - 2))}`).join(' ')
}

function round(value: number): number {
  return Math.round(value * 10) / 10
}
