import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Problem } from './problem.ts'

/**
 * The bytes of a request, unpacked, up to a limit. What is over the limit is not read to its end, and a small packed
 * body cannot grow beyond it either.
 *
 * @throws Problem 413 above the limit, 415 for an encoding we do not know, 400 where the body breaks off
 */
export async function* boundedBody(
  body: Readable | undefined,
  options: { readonly encoding: string | undefined; readonly limitBytes: number },
): AsyncGenerator<Uint8Array> {
  if (body === undefined) return
  const encoding = options.encoding?.toLowerCase() ?? 'identity'
  if (encoding !== 'identity' && encoding !== 'gzip') {
    throw new Problem(415, `Content-Encoding ${encoding} is not understood; send gzip or plain bytes.`)
  }
  const plain = encoding === 'gzip' ? unpacked(body) : body
  let bytes = 0
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      bytes += chunk.length
      if (bytes > options.limitBytes) throw tooLarge(options.limitBytes)
      yield chunk
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(400, 'The body broke off or could not be unpacked.')
  }
}

function unpacked(body: Readable): Readable {
  const gunzip = createGunzip()
  body.on('error', (error) => gunzip.destroy(error))
  // A caller that hangs up only closes the stream; without this the reader would wait for ever.
  body.on('close', () => {
    if (!body.readableEnded) gunzip.destroy(new Error('closed'))
  })
  return body.pipe(gunzip)
}

export function tooLarge(limitBytes: number): Problem {
  const limit = limitBytes >= 1_048_576 ? `${limitBytes / 1_048_576} MiB` : `${limitBytes} bytes`
  return new Problem(413, `The body is larger than ${limit}; send it in parts.`, { headers: { connection: 'close' } })
}

/**
 * A small JSON body.
 *
 * @throws Problem 400 when it is no JSON, besides those of `boundedBody`
 */
export async function readJson(body: AsyncIterable<Uint8Array>): Promise<unknown> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch {
    // The parser quotes the body in its message, so it is not passed on.
    throw new Problem(400, 'The body is no JSON.')
  }
}
