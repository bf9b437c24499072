import kafkajs from 'kafkajs'
import Decoder from 'kafkajs/src/protocol/decoder.js'
import decodeBatch from 'kafkajs/src/protocol/recordBatch/v0/decoder.js'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappy'

const { CompressionCodecs, CompressionTypes } = kafkajs

// kafkajs has no codec but gzip of its own; these are the packages that the daemon uses.
CompressionCodecs[CompressionTypes.LZ4] = () => ({
  compress: notUsed,
  decompress: (bytes: Buffer) => decompressFrame(bytes),
})
CompressionCodecs[CompressionTypes.Snappy] = () => ({
  compress: notUsed,
  decompress: async (bytes: Buffer) => (await uncompress(bytes)) as Buffer,
})

/** What kafkajs makes of a record batch: an object for each message. */
export async function kafkajsMessages(batch: Buffer): Promise<readonly { readonly value: Buffer | null }[]> {
  return (await decodeBatch(new Decoder(batch))).records
}

function notUsed(): never {
  throw new Error('nothing is compressed here')
}
