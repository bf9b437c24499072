import { bytesFigure } from './bytes.ts'
import { render } from './figures.ts'
import { Progress } from './progress.ts'
const shape = process.argv[2] as 'kong' | 'flat'
const rounds = Number(process.argv[3] ?? 3)
const count = Number(process.argv[4] ?? 40000)
const p = new Progress('bytes', rounds + 1)
const f = await bytesFigure(shape, { rounds, count, progress: p })
p.end()
console.log(render([f]))
