import fc from 'fast-check'
import { compressFrameSync, decompressFrameSync } from 'lz4-napi'
import { compressSync, uncompressSync } from 'snappy'
import { describe, expect, test } from 'vitest'
import { Unpacker } from '../../src/source/kafka-codecs.ts'
import { grown, type Lz4Frame, lz4Block, lz4Frame, type Sequence, slowXxh32, snappyOf, xerial } from './codec-frames.ts'

const snappy = 2
const lz4 = 3
const limit = 64 * 1024 * 1024

const shared = new Unpacker()
const doesNot = (codec: number) => `compressed with ${codec === lz4 ? 'lz4' : 'snappy'}, which does not decompress`

/** To compare large ones byte by byte takes long. */
const digest = (made: Uint8Array | string | null) =>
  made instanceof Uint8Array ? Buffer.from(made).toString('base64') : made

/** What comes out, in bytes of its own, or the failure. */
async function unpack(codec: number, bytes: Buffer, unpacker = shared): Promise<Buffer | string> {
  const made = await unpacker.unpack(codec, bytes, limit)
  shared.release()
  return 'bytes' in made ? Buffer.from(made.bytes) : made.failure
}

/** The same by the addon; null where it fails. */
function byAddon(codec: number, bytes: Buffer): Buffer | null {
  try {
    return Buffer.from(codec === lz4 ? decompressFrameSync(bytes) : uncompressSync(bytes))
  } catch {
    return null
  }
}

/** Texts that compress: words that come again and again, and runs. */
const text = fc
  .array(
    fc.oneof(
      fc.constantFrom('{"status":402,', '"tenant":"acme"', '/orders', '\n', 'quota-exceeded'),
      fc.string({ maxLength: 6 }),
      fc.tuple(fc.string({ minLength: 1, maxLength: 20 }), fc.nat(60)).map(([word, times]) => word.repeat(times)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.from(parts.join('')))

/** Sequences that refer to nothing before what there is. */
function sequences(before: number): fc.Arbitrary<readonly Sequence[]> {
  const one = fc.record({
    literals: fc.uint8Array({ maxLength: 40 }),
    back: fc.oneof(fc.nat(40), fc.nat(1_000_000)),
    length: fc.oneof(fc.integer({ min: 4, max: 40 }), fc.integer({ min: 4, max: 700 })),
  })
  return fc.array(one, { maxLength: 12 }).map((drawn) => {
    let there = before
    return drawn.flatMap(({ literals, back, length }) => {
      there += literals.length
      if (there === 0) return []
      const offset = (back % Math.min(there, 65_535)) + 1
      there += length
      return [{ literals, offset, length }]
    })
  })
}

const last = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc
    .tuple(fc.nat(255), fc.integer({ min: 200, max: 2_000 }))
    .map(([by, bytes]) => Uint8Array.from({ length: bytes }, (_, i) => i * by)),
)

/** A frame of up to three blocks with any of the options, and what comes out of it. */
const frame = fc
  .record({
    drawn: fc.array(fc.tuple(sequences(0), last, fc.boolean()), { maxLength: 3 }),
    isLinked: fc.boolean(),
    hasBlockChecksums: fc.boolean(),
    hasContentChecksum: fc.boolean(),
    hasContentSize: fc.boolean(),
    sizeCode: fc.integer({ min: 4, max: 7 }),
  })
  .map(({ drawn, ...options }) => {
    let out: number[] = []
    const blocks = drawn.flatMap(([own, end, isStored]) => {
      const from = out.length
      // In a linked frame a block may reach into those before it; these reach as far as they can.
      const reach = options.isLinked ? Math.min(from, 60_000) : 0
      const reaching = own.map((one) => ({ ...one, offset: one.offset + reach }))
      const alone = grown([], own, end)
      out = isStored ? [...out, ...alone] : grown(out, reaching, end)
      const bytes = isStored ? Buffer.from(alone) : lz4Block(reaching, end)
      // The addon takes a block of nothing for the end of the frame.
      return alone.length === 0 ? [] : [{ bytes, isStored }]
    })
    return { ...options, blocks, content: Buffer.from(out) } satisfies Lz4Frame
  })

/** The sizes of the blocks of a frame of LZ4, as they are written; 0 is its end mark. */
function sizesOf(bytes: Buffer): number[] {
  const flags = bytes[4] ?? 0
  const sizes: number[] = []
  for (let at = 7 + (flags & 8); at + 4 <= bytes.length && sizes.at(-1) !== 0; ) {
    const size = bytes.readUInt32LE(at)
    sizes.push(size)
    at += 4 + (size % 2 ** 31) + ((flags & 16) >> 2)
  }
  return sizes
}

const hasEnd = (bytes: Buffer) => sizesOf(bytes).includes(0)
/** A single token, or nothing as it is. */
const hasEmptyBlock = (bytes: Buffer) => sizesOf(bytes).some((size) => size === 1 || size === 2 ** 31)

/** How to damage bytes: bits, bytes, an end that is missing, more than there was. */
const damage = fc.array(fc.tuple(fc.constantFrom('bit', 'byte', 'cut', 'more'), fc.nat(), fc.nat(255)), {
  minLength: 1,
  maxLength: 3,
})

function damaged(bytes: Buffer, how: readonly (readonly [string, number, number])[]): Buffer {
  let out = Buffer.from(bytes)
  for (const [what, at, value] of how) {
    const place = at % (out.length + 1)
    if (what === 'cut') out = out.subarray(0, place)
    else if (what === 'more') out = Buffer.concat([out, Buffer.from([value])])
    else if (place < out.length) out[place] = what === 'bit' ? (out[place] ?? 0) ^ (1 << (value & 7)) : value
  }
  return out
}

describe('lz4', () => {
  test('gives what went in, as the addon does', async () => {
    await fc.assert(
      fc.asyncProperty(text, async (bytes) => {
        expect(digest(await unpack(lz4, compressFrameSync(bytes)))).toBe(digest(bytes))
      }),
    )
  })

  test('knows every form of a frame: linked blocks, stored ones, sizes and checksums', async () => {
    await fc.assert(
      fc.asyncProperty(frame, async (of) => {
        const bytes = lz4Frame(of)
        expect(digest(await unpack(lz4, bytes))).toBe(digest(of.content))
        expect(digest(byAddon(lz4, bytes))).toBe(digest(of.content))
      }),
      { numRuns: 400 },
    )
  })

  test('fails where the addon fails, and where the frame has no end', async () => {
    const any = fc.oneof(
      text.map((bytes) => compressFrameSync(bytes)),
      frame.map(lz4Frame),
    )
    await fc.assert(
      fc.asyncProperty(any, damage, async (whole, how) => {
        const bytes = damaged(whole, how)
        const own = await unpack(lz4, bytes)
        const theirs = byAddon(lz4, bytes)
        // The addon takes a block of nothing for the end of the frame.
        if (typeof own !== 'string') expect(digest(theirs && own.subarray(0, theirs.length))).toBe(digest(theirs))
        // And one that was cut off for a whole one.
        else if (theirs !== null) expect(hasEnd(bytes)).toBe(false)
        if (typeof own !== 'string' && theirs?.length !== own.length) expect(hasEmptyBlock(bytes)).toBe(true)
      }),
      { numRuns: 2_000 },
    )
  })

  const content = Buffer.from('to be or not to be, that is the question')
  const plain = { blocks: [{ bytes: lz4Block([], content), isStored: false }], content }
  const whole = lz4Frame({ ...plain, hasBlockChecksums: true, hasContentChecksum: true, hasContentSize: true })
  const other = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt8(bytes.readUInt8(at) ^ value, at)
    return bytes
  }
  /** The same with its header's checksum made right. */
  const otherHeader = (at: number, value: number): Buffer => {
    const bytes = other(at, value)
    bytes.writeUInt8((slowXxh32(bytes.subarray(4, 14)) >>> 8) & 0xff, 14)
    return bytes
  }
  test.each([
    ['magic', other(0, 1)],
    ['version', otherHeader(4, 0x80)],
    ['reserved flag', otherHeader(4, 2)],
    ['dictionary', otherHeader(4, 1)],
    ['size of blocks', otherHeader(5, 0x40)],
    ['reserved sizes', otherHeader(5, 1)],
    ['content size', otherHeader(6, 1)],
    ['checksum of the header', other(14, 1)],
    ['checksum of a block', other(whole.length - 9, 1)],
    ['checksum of the content', other(whole.length - 1, 1)],
    ['end', whole.subarray(0, -8)],
    ['content checksum that is cut off', whole.subarray(0, -1)],
    [
      'stored block larger than the largest',
      lz4Frame({ ...plain, blocks: [{ bytes: Buffer.alloc(65_537), isStored: true }] }),
    ],
    [
      'block that grows beyond the largest',
      lz4Frame({
        ...plain,
        blocks: [
          { bytes: lz4Block([{ literals: Buffer.from('a'), offset: 1, length: 65_536 }], content), isStored: false },
        ],
      }),
    ],
    [
      'offset of nothing',
      lz4Frame({
        ...plain,
        blocks: [
          { bytes: lz4Block([{ literals: Buffer.from('abcd'), offset: 0, length: 4 }], content), isStored: false },
        ],
      }),
    ],
    [
      'offset before the block',
      lz4Frame({
        ...plain,
        blocks: [
          { bytes: content, isStored: true },
          { bytes: lz4Block([{ literals: Buffer.from('abcd'), offset: 5, length: 4 }], content), isStored: false },
        ],
      }),
    ],
    [
      'offset before the frame',
      lz4Frame({
        ...plain,
        isLinked: true,
        blocks: [
          { bytes: lz4Block([{ literals: Buffer.from('abcd'), offset: 5, length: 4 }], content), isStored: false },
        ],
      }),
    ],
  ])('does not take a frame with another %s', async (_, bytes) => {
    expect(await unpack(lz4, whole)).toEqual(content)
    // What lay in the memory before must not be taken for part of it.
    const unpacker = new Unpacker()
    await unpack(lz4, whole, unpacker)
    expect(await unpack(lz4, bytes, unpacker)).toBe(doesNot(lz4))
  })

  test('has the checksums of the standard', () => {
    expect(slowXxh32(Buffer.from(''))).toBe(0x02cc5d05)
    expect(slowXxh32(Buffer.from('abc'))).toBe(0x32d153ff)
  })
})

describe('snappy', () => {
  test('gives what went in, alone and in the frame of the Java client', async () => {
    await fc.assert(
      fc.asyncProperty(text, fc.integer({ min: 1, max: 500 }), async (bytes, blockBytes) => {
        expect(digest(await unpack(snappy, compressSync(bytes)))).toBe(digest(bytes))
        expect(digest(await unpack(snappy, xerial(bytes, blockBytes)))).toBe(digest(bytes))
      }),
    )
  })

  test('knows every kind of literal and copy', async () => {
    await fc.assert(
      fc.asyncProperty(sequences(0), last, async (own, end) => {
        const content = Buffer.from(grown([], own, end))
        const bytes = snappyOf(own, end, content.length)
        expect(digest(await unpack(snappy, bytes))).toBe(digest(content))
        expect(digest(byAddon(snappy, bytes))).toBe(digest(content))
        expect(await unpack(snappy, snappyOf(own, end, content.length + 1))).toBe(doesNot(snappy))
        if (content.length > 0)
          expect(await unpack(snappy, snappyOf(own, end, content.length - 1))).toBe(doesNot(snappy))
      }),
      { numRuns: 400 },
    )
  })

  test('fails where the addon fails, and only there', async () => {
    const block = fc.oneof(
      text.map((bytes) => compressSync(bytes)),
      fc.tuple(sequences(0), last).map(([own, end]) => snappyOf(own, end, grown([], own, end).length)),
    )
    await fc.assert(
      fc.asyncProperty(block, damage, async (whole, how) => {
        const bytes = damaged(whole, how)
        const own = await unpack(snappy, bytes)
        expect(typeof own === 'string' ? null : digest(own)).toBe(digest(byAddon(snappy, bytes)))
      }),
      { numRuns: 2_000 },
    )
  })

  test('does not take memory for a length that cannot be', async () => {
    const before = process.memoryUsage().arrayBuffers
    // 32 MiB out of a hundred bytes.
    const bytes = Buffer.concat([Buffer.from([0x80, 0x80, 0x80, 0x10]), Buffer.alloc(100)])
    expect(await unpack(snappy, bytes)).toBe(doesNot(snappy))
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(1024 * 1024)
  })
})

describe('an unpacker', () => {
  const codecs = [
    [lz4, (bytes: Buffer) => compressFrameSync(bytes)],
    [snappy, (bytes: Buffer) => compressSync(bytes)],
  ] as const

  test('leaves what it gave as it is until it is released, whatever comes after it', async () => {
    const piece = fc.record({
      bytes: text,
      how: fc.option(damage),
      codec: fc.constantFrom(...codecs),
      isLarge: fc.nat(20),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 2, maxLength: 8 }), async (pieces) => {
        const unpacker = new Unpacker()
        const given: [Uint8Array, Buffer][] = []
        for (const {
          bytes,
          how,
          codec: [codec, compress],
          isLarge,
        } of pieces) {
          // Some have no room beside the others.
          const content = isLarge === 0 ? Buffer.alloc(3 * 1024 * 1024, 'large ') : bytes
          const made = await unpacker.unpack(
            codec,
            how === null ? compress(content) : damaged(compress(content), how),
            limit,
          )
          if (how === null && 'bytes' in made) given.push([made.bytes, content])
        }
        expect(given).toHaveLength(pieces.filter(({ how }) => how === null).length)
        for (const [bytes, content] of given) expect(content.equals(bytes)).toBe(true)
      }),
      { numRuns: 60 },
    )
  })

  test.each(codecs)('lets others have their turn while it decompresses much (codec %i)', async (codec, compress) => {
    const content = Buffer.alloc(24 * 1024 * 1024, 'and on and on, ')
    const bytes = compress(content)
    let turns = 0
    let isDone = false
    const count = (): void => {
      turns++
      if (!isDone) setImmediate(count)
    }
    setImmediate(count)
    const made = await new Unpacker().unpack(codec, bytes, limit)
    isDone = true
    expect('bytes' in made && content.equals(made.bytes)).toBe(true)
    expect(turns).toBeGreaterThanOrEqual(4)
  })

  test('uses its memory again once it was released', async () => {
    const unpacker = new Unpacker()
    const first = await unpacker.unpack(lz4, compressFrameSync(Buffer.from('first')), limit)
    unpacker.release()
    await unpacker.unpack(snappy, compressSync(Buffer.from('other')), limit)
    expect('bytes' in first && Buffer.from(first.bytes).toString()).toBe('other')
  })
})
