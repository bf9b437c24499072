import type { Clock } from '../time/clock.ts'
import { type Chart, chartAlt } from './chart.ts'
import type { PaintChart } from './chart-image.ts'
import { isRecord, type SlackApi } from './slack-api.ts'

/** Slack looks at a file for a second or two before messages may show it. */
const looks = 10
const pauseMs = 500

/**
 * Uploads a chart as a file that only messages of the bot show: it is shared with no channel. Needs `files:write`.
 *
 * @returns its id at Slack, once messages may show it
 */
export async function uploadChart(
  chart: Chart,
  { api, clock, paint }: { api: SlackApi; clock: Clock; paint: PaintChart },
): Promise<{ ok: true; file: string } | { ok: false; detail: string }> {
  const picture = await paint(chart)
  if (picture === null) return { ok: false, detail: 'it could not be drawn' }
  const place = await api.ask('files.getUploadURLExternal', {
    filename: 'refused-calls.png',
    length: String(picture.byteLength),
    alt_txt: chartAlt(chart),
  })
  if (!place.ok) return { ok: false, detail: place.failure.detail }
  const { upload_url: address, file_id: file } = place.body
  if (typeof address !== 'string' || typeof file !== 'string') return { ok: false, detail: 'no place was given for it' }
  if (!(await api.upload(address, picture))) return { ok: false, detail: 'the file was not taken' }
  for (let look = 0; look < looks; look++) {
    if (look > 0) await clock.sleep(pauseMs)
    const done = await api.call('files.completeUploadExternal', { files: [{ id: file, title: 'Refused calls' }] })
    if (!done.ok) return { ok: false, detail: done.failure.detail }
    if (isReady(done.body['files'])) return { ok: true, file }
  }
  return { ok: false, detail: 'Slack did not finish with the file in time' }
}

/** A file without a type is still being looked at. */
function isReady(files: unknown): boolean {
  const first: unknown = Array.isArray(files) ? files[0] : undefined
  return isRecord(first) && typeof first['filetype'] === 'string' && first['filetype'] !== ''
}
