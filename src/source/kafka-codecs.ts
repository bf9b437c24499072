import { decompress as unzstd } from 'fzstd'
import { decompressFrame } from 'lz4-napi'
import { uncompress } from 'snappy'

/** The Java client wraps snappy blocks in a frame of its own ("xerial"); librdkafka does not. */
const xerialMagic = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0])
const xerialHeaderBytes = 16

/** Decodes snappy as either client writes it. Source of the frame: the snappy-java SnappyOutputStream format. */
export async function decodeSnappy(bytes: Buffer): Promise<Buffer> {
  if (!bytes.subarray(0, xerialMagic.length).equals(xerialMagic)) return asBuffer(await uncompress(bytes))
  const blocks: Buffer[] = []
  for (let at = xerialHeaderBytes; at + 4 <= bytes.length; ) {
    const length = bytes.readInt32BE(at)
    at += 4
    blocks.push(asBuffer(await uncompress(bytes.subarray(at, at + length))))
    at += length
  }
  return Buffer.concat(blocks)
}

export async function decodeLz4(bytes: Buffer): Promise<Buffer> {
  return asBuffer(await decompressFrame(bytes))
}

/** Node 20 has no zstd of its own. */
export async function decodeZstd(bytes: Buffer): Promise<Buffer> {
  return asBuffer(unzstd(bytes))
}

function asBuffer(bytes: Uint8Array | string): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
