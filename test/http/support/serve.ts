/** Serves the page over made-up data until it is stopped: `npx tsx test/http/support/serve.ts [PORT]`. */
import { httpOptions } from '../../../src/http/options.ts'
import { createServer } from '../../../src/http/server.ts'
import { systemClock } from '../../../src/time/clock.ts'
import { worldDeps } from './world.ts'

const options = httpOptions.parse({ listen: `127.0.0.1:${process.argv[2] ?? '8402'}` })
console.log(await createServer(worldDeps({ clock: systemClock }), options).listen())
