import type { Unpacker } from './kafka-codecs.ts'
import { enoughBytes, type FetchedRecords, unpackedFrom } from './kafka-records.ts'
import type { Batch, Packed, Unreadable } from './source.ts'

/**
 * What a fetch brought, in batches that follow each other without a gap: whole record batches, as many as make up
 * `bytesEach` or so. Whoever takes one is not kept from everything else for long, and what is decompressed is only ever
 * that one: a batch is good until the next one is asked for. Once very much has come out of one fetch it ends, so that
 * other partitions have their turn.
 */
export async function* piecesOf(
  records: FetchedRecords,
  { unpacker, bytesEach }: { unpacker: Unpacker; bytesEach: number },
): AsyncGenerator<Batch> {
  // The last one may have been broken off.
  unpacker.release()
  let lo = records.from
  let packed: Packed[] = []
  let unreadable: Unreadable[] = []
  let bytes = 0
  let all = 0
  for (const one of records.batches()) {
    if ('framing' in one && bytes >= bytesEach && one.framing.base > lo) {
      const hi = one.framing.base - 1
      yield { lo, hi, values: [], packed, unreadable }
      unpacker.release()
      lo = hi + 1
      packed = []
      unreadable = []
      bytes = 0
    }
    const part = await unpackedFrom(one, unpacker)
    if ('reason' in part) {
      unreadable.push(part)
    } else {
      packed.push(part)
      bytes += part.bytes.length
      all += part.bytes.length
    }
    if (all >= enoughBytes) break
  }
  if (records.next > lo) yield { lo, hi: records.next - 1, values: [], packed, unreadable }
  unpacker.release()
}
