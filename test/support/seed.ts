import fc from 'fast-check'

/**
 * One seed for every property, so that a run tells the same tomorrow: what CI checks does not depend on luck. Set
 * TOLLWATCH_SEED to a number to repeat another run, or to `random` to look somewhere new; a failure prints its seed.
 */
const wanted = process.env['TOLLWATCH_SEED'] ?? '402'
if (wanted !== 'random') fc.configureGlobal({ seed: Number(wanted) })
