/* The module with which kafkajs reads record batches; see src/source/kafkajs-internals.d.ts for why it may be named. */

declare module 'kafkajs/src/protocol/recordBatch/v0/decoder.js' {
  import type Decoder from 'kafkajs/src/protocol/decoder.js'

  export default function decodeBatch(
    decoder: Decoder,
  ): Promise<{ readonly records: readonly { readonly value: Buffer | null }[] }>
}
