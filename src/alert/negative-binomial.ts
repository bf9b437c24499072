/** Lanczos coefficients for g = 7, nine terms (Lanczos 1964, in P. Godfrey's widely published double precision set). */
const lanczos = [
  0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
  12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
] as const
const lanczosG = 7
const halfLogTwoPi = 0.9189385332046727

/** Natural logarithm of the gamma function for x > 0; relative error near 1e-15. */
export function logGamma(x: number): number {
  // Reflection keeps the series in the range where it was fitted.
  if (x < 0.5) return Math.log(Math.PI / Math.sin(Math.PI * x)) - logGamma(1 - x)
  const shifted = x - 1
  let sum: number = lanczos[0]
  for (let k = 1; k < lanczos.length; k++) sum += (lanczos[k] ?? 0) / (shifted + k)
  const t = shifted + lanczosG + 0.5
  return halfLogTwoPi + (shifted + 0.5) * Math.log(t) - t + Math.log(sum)
}

/**
 * log Γ(x + step) − log Γ(x). For large x the two are nearly equal and enormous, so their difference is taken term by
 * term in Stirling's series (Abramowitz and Stegun 6.1.41) instead.
 */
function logGammaRatio(x: number, step: number): number {
  if (x < 100) return logGamma(x + step) - logGamma(x)
  const end = x + step
  return (x - 0.5) * Math.log1p(step / x) + step * Math.log(end) - step + stirlingRest(end) - stirlingRest(x)
}

function stirlingRest(x: number): number {
  const square = x * x
  return (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / x
}

/** Beyond this size a negative binomial is a Poisson distribution to every digit that matters. */
const largestSize = 1e9

/**
 * log P(Y ≥ count) for a negative binomial with the given mean and size (variance = mean + mean²/size).
 * Equals log I_x(count, size) with x = mean / (mean + size), I the regularised incomplete beta function; computed in
 * logarithms, so it stays exact far beyond the smallest double (p = 1e-5000 is fine).
 *
 * @param count whole number from 0 up
 * @param mean expected count, above 0
 * @param size 1 / relative extra variance, above 0; infinite means Poisson
 */
export function logUpperTail(count: number, mean: number, size: number): number {
  if (count <= 0) return 0
  if (!(mean > 0)) return Number.NEGATIVE_INFINITY
  const r = Math.min(size, largestSize)
  return logBeta(mean, r, count, r, 'success')
}

/** log P(Y ≤ count), the mirror of `logUpperTail`: log I_{1-x}(size, count + 1). */
export function logLowerTail(count: number, mean: number, size: number): number {
  if (count < 0) return Number.NEGATIVE_INFINITY
  if (!(mean > 0)) return 0
  const r = Math.min(size, largestSize)
  return logBeta(mean, r, count + 1, r, 'failure')
}

/** Log of I_x(count, r) for `success`, of its complement for `failure`, with x = mean/(mean+r). */
function logBeta(mean: number, r: number, a: number, b: number, side: 'success' | 'failure'): number {
  const x = mean / (mean + r)
  const logX = Math.log(mean) - Math.log(mean + r)
  const logRest = -Math.log1p(mean / r)
  const logFront = logGammaRatio(b, a) - logGamma(a) + a * logX + b * logRest
  // The fraction converges fast on the side of the mean where the wanted probability is the small one.
  const upperIsSmall = x < (a + 1) / (a + b + 2)
  const logSmall = upperIsSmall
    ? logFront - Math.log(a) + Math.log(betaFraction(x, a, b))
    : logFront - Math.log(b) + Math.log(betaFraction(r / (mean + r), b, a))
  const wantsSmall = upperIsSmall === (side === 'success')
  return wantsSmall ? Math.min(0, logSmall) : logComplement(Math.min(0, logSmall))
}

/** log(1 − e^logP) without losing the digits of either end. */
function logComplement(logP: number): number {
  return logP > -Math.LN2 ? Math.log(-Math.expm1(logP)) : Math.log1p(-Math.exp(logP))
}

const tiny = 1e-300
const precision = 1e-15
/** Needed steps grow with the square root of the counts: this is enough for hundreds of millions. */
const mostSteps = 50_000

/**
 * The continued fraction of the incomplete beta function (DLMF 8.17.22), by the modified Lentz method
 * (Thompson and Barnett 1986).
 */
function betaFraction(x: number, a: number, b: number): number {
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let value = d
  for (let k = 1; k <= mostSteps; k++) {
    const even = (k * (b - k) * x) / ((a + 2 * k - 1) * (a + 2 * k))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    value *= d * c
    const odd = (-(a + k) * (a + b + k) * x) / ((a + 2 * k) * (a + 2 * k + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    const change = d * c
    value *= change
    if (Math.abs(change - 1) < precision) break
  }
  return value
}

function away(value: number): number {
  return Math.abs(value) < tiny ? tiny : value
}

/**
 * The smallest count whose upper tail lies below exp(logAlpha) and which passes both gates: what it takes to alarm.
 *
 * @param gates `minCount` refusals, and `minRatio` times the mean
 */
export function smallestAlarm(
  mean: number,
  size: number,
  logAlpha: number,
  gates: { minCount: number; minRatio: number },
): number {
  let low = Math.max(gates.minCount, Math.ceil(gates.minRatio * mean), 1)
  if (logUpperTail(low, mean, size) < logAlpha) return low
  let high = low * 2
  while (logUpperTail(high, mean, size) >= logAlpha) {
    low = high
    high *= 2
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (logUpperTail(middle, mean, size) < logAlpha) high = middle
    else low = middle
  }
  return high
}
