import {
  type Add,
  configOption,
  dataOption,
  defined,
  examples,
  type Flags,
  loadedOf,
  text,
  tokenOf,
  tokenOption,
  urlOption,
} from './flags.ts'
import { mcpCommand } from './mcp.ts'

export const addMcp: Add = (program, terminal, done) => {
  program
    .command('mcp')
    .description('lets an assistant ask: a Model Context Protocol server on standard input and output')
    .addOption(configOption())
    .addOption(dataOption())
    .addOption(urlOption())
    .addOption(tokenOption())
    .addHelpText(
      'after',
      examples([
        ['tollwatch mcp --url http://127.0.0.1:8402', 'asks a running daemon; its token comes from TOLLWATCH_TOKEN'],
        ['tollwatch mcp --data ./data/tollwatch', 'asks the store: history without what goes on now'],
      ]),
    )
    .action(async (flags: Flags) => {
      const loaded = loadedOf(flags, { history: defined({ data_dir: flags['data'] }) ?? {} })
      done(await mcpCommand({ url: text(flags, 'url'), token: tokenOf(flags) }, loaded, terminal))
    })
}
