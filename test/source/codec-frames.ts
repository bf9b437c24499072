import { compressSync as snappyBlock } from 'snappy'

/** Frames of LZ4 and Snappy, written step by step, so that tests have every form that a decoder must know. */

/** Some bytes as they are, and then what was written `offset` bytes ago, for `length` bytes. */
export interface Sequence {
  readonly literals: Uint8Array
  readonly offset: number
  readonly length: number
}

/** What sequences stand for behind what was there before; slow, and plain to see. */
export function grown(before: readonly number[], sequences: readonly Sequence[], last: Uint8Array): number[] {
  const out = [...before]
  for (const { literals, offset, length } of sequences) {
    out.push(...literals)
    for (let i = 0; i < length; i++) out.push(out[out.length - offset] ?? 0)
  }
  out.push(...last)
  return out
}

/** A block of LZ4. Source: the LZ4 block format. */
export function lz4Block(sequences: readonly Sequence[], last: Uint8Array): Buffer {
  const bytes: number[] = []
  const more = (rest: number): void => {
    for (; rest >= 255; rest -= 255) bytes.push(255)
    bytes.push(rest)
  }
  const begin = (literals: Uint8Array, match: number): void => {
    bytes.push(Math.min(15, literals.length) * 16 + Math.min(15, match))
    if (literals.length >= 15) more(literals.length - 15)
    bytes.push(...literals)
  }
  for (const { literals, offset, length } of sequences) {
    begin(literals, length - 4)
    bytes.push(offset & 255, offset >> 8)
    if (length >= 19) more(length - 19)
  }
  begin(last, 0)
  return Buffer.from(bytes)
}

export interface Lz4Frame {
  /** Each compressed, or as it is. */
  readonly blocks: readonly { readonly bytes: Buffer; readonly isStored: boolean }[]
  /** What comes out of all of them. */
  readonly content: Uint8Array
  readonly isLinked?: boolean
  readonly hasBlockChecksums?: boolean
  readonly hasContentChecksum?: boolean
  readonly hasContentSize?: boolean
  /** 4 is 64 KiB, 7 is 4 MiB. */
  readonly sizeCode?: number
}

/** Source: the LZ4 frame format, version 1.6. */
export function lz4Frame(of: Lz4Frame): Buffer {
  const { blocks, content, isLinked, hasBlockChecksums, hasContentChecksum, hasContentSize, sizeCode = 4 } = of
  const flags =
    0x40 |
    (isLinked ? 0 : 0x20) |
    (hasBlockChecksums ? 0x10 : 0) |
    (hasContentSize ? 8 : 0) |
    (hasContentChecksum ? 4 : 0)
  const size = Buffer.alloc(hasContentSize ? 8 : 0)
  if (hasContentSize) size.writeBigUInt64LE(BigInt(content.length))
  const descriptor = Buffer.concat([Buffer.from([flags, sizeCode * 16]), size])
  const parts: Buffer[] = [Buffer.from([4, 0x22, 0x4d, 0x18]), descriptor]
  parts.push(Buffer.from([(slowXxh32(descriptor) >>> 8) & 0xff]))
  for (const { bytes, isStored } of blocks) {
    parts.push(uint32(bytes.length + (isStored ? 2 ** 31 : 0)), bytes)
    if (hasBlockChecksums) parts.push(uint32(slowXxh32(bytes)))
  }
  parts.push(uint32(0))
  if (hasContentChecksum) parts.push(uint32(slowXxh32(content)))
  return Buffer.concat(parts)
}

/** A block of Snappy, with each kind of copy and literal. Source: the Snappy format description. */
export function snappyOf(sequences: readonly Sequence[], last: Uint8Array, written: number): Buffer {
  const bytes: number[] = []
  let length = written
  for (; length > 127; length = Math.floor(length / 128)) bytes.push((length % 128) + 128)
  bytes.push(length)
  const literal = (literals: Uint8Array): void => {
    const less = literals.length - 1
    if (less < 0) return
    if (less < 60) bytes.push(less * 4)
    else if (less < 256) bytes.push(60 * 4, less)
    else bytes.push(61 * 4, less & 255, less >> 8)
    bytes.push(...literals)
  }
  for (const { literals, offset, length } of sequences) {
    literal(literals)
    for (let left = length; left > 0; ) {
      const some = Math.min(left, 64)
      left -= some
      if (some >= 4 && some <= 11 && offset < 2048)
        bytes.push(1 | ((some - 4) << 2) | ((offset >> 8) << 5), offset & 255)
      else if (offset % 2 === 0) bytes.push(2 | ((some - 1) << 2), offset & 255, offset >> 8)
      else bytes.push(3 | ((some - 1) << 2), offset & 255, offset >> 8, 0, 0)
    }
  }
  literal(last)
  return Buffer.from(bytes)
}

/** The frame in which the Java client puts snappy blocks. */
export function xerial(bytes: Buffer, blockBytes: number): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0, 0, 0, 0, 1, 0, 0, 0, 1])]
  for (let at = 0; at < bytes.length; at += blockBytes) {
    const block = snappyBlock(bytes.subarray(at, at + blockBytes))
    const length = Buffer.alloc(4)
    length.writeUInt32BE(block.length)
    parts.push(length, block)
  }
  return Buffer.concat(parts)
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

/** XXH32 with seed 0. Source: the xxHash specification. */
export function slowXxh32(bytes: Uint8Array): number {
  const [p1, p2, p3, p4, p5] = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1]
  const rotated = (value: number, by: number): number => (value << by) | (value >>> (32 - by))
  const view = Buffer.from(bytes)
  const lanes = [p1 + p2, p2, 0, -p1]
  let at = 0
  for (; bytes.length - at >= 16; at += 16) {
    for (const i of lanes.keys()) {
      const mixed = (lanes[i] ?? 0) + Math.imul(view.readInt32LE(at + i * 4), p2)
      lanes[i] = Math.imul(rotated(mixed | 0, 13), p1)
    }
  }
  const turns = [1, 7, 12, 18]
  let hash = at === 0 ? p5 : lanes.reduce((sum, lane, i) => sum + rotated(lane, turns[i] ?? 0), 0)
  hash = (hash + bytes.length) | 0
  for (; bytes.length - at >= 4; at += 4) {
    hash = Math.imul(rotated((hash + Math.imul(view.readInt32LE(at), p3)) | 0, 17), p4)
  }
  for (; at < bytes.length; at++) hash = Math.imul(rotated((hash + Math.imul(view[at] ?? 0, p5)) | 0, 11), p1)
  hash = Math.imul(hash ^ (hash >>> 15), p2)
  hash = Math.imul(hash ^ (hash >>> 13), p3)
  return (hash ^ (hash >>> 16)) >>> 0
}
