import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { describeWithChdb, describeWithShippedNginx } from '../support/available.ts'
import { createTopic, sharedKafka, topicName } from '../support/kafka.ts'
import { type Nginx, startNginx } from '../support/nginx.ts'
import { waitFor } from '../support/process.ts'
import { startRsyslog } from '../support/rsyslog.ts'
import { startTollwatch } from '../support/tollwatch.ts'

/**
 * One gateway that logs as the README says, one that logs `combined` as it comes. What lies behind them refuses some
 * paths with a code in a header, and the JSON gateway itself refuses another.
 */
const gateways = `
log_format tollwatch escape=json '{"time_iso8601":"$time_iso8601","msec":"$msec","request_id":"$request_id",'
  '"request_method":"$request_method","request_uri":"$request_uri","status":"$status",'
  '"body_bytes_sent":"$body_bytes_sent","request_time":"$request_time","remote_user":"$remote_user",'
  '"upstream_status":"$upstream_status","http_x_tenant_id":"$http_x_tenant_id",'
  '"sent_http_x_error_code":"$sent_http_x_error_code",'
  '"sent_http_x_ratelimit_remaining":"$sent_http_x_ratelimit_remaining"}';

server {
  listen $port_behind;
  access_log off;
  location /v1/cards { add_header X-Error-Code card_declined always; return 402; }
  location / { return 200 "well"; }
}

server {
  listen $port_json;
  access_log $dir/json.log tollwatch;
  location = /up { access_log off; return 204; }
  location /v1/quota { add_header X-RateLimit-Remaining 0 always; return 402; }
  location / { proxy_pass http://$port_behind; }
}

server {
  listen $port_combined;
  access_log $dir/combined.log combined;
  auth_basic "callers";
  auth_basic_user_file $dir/callers;
  location = /up { auth_basic off; access_log off; return 204; }
  location / { proxy_pass http://$port_behind; }
}
`

interface Call {
  readonly tenant: string
  readonly path: string
  readonly times: number
}

const jsonCalls: readonly Call[] = [
  { tenant: 'acme', path: '/v1/chat/4711?key=hidden-in-the-query', times: 31 },
  { tenant: 'acme', path: '/v1/cards/77', times: 7 },
  { tenant: 'globex', path: '/v1/quota', times: 5 },
]
const combinedCalls: readonly Call[] = [
  { tenant: 'initech', path: '/v1/chat/4711', times: 20 },
  { tenant: 'initech', path: '/v1/cards/77', times: 3 },
]

async function call(nginx: Nginx, name: string, calls: readonly Call[]): Promise<void> {
  for (const { tenant, path, times } of calls) {
    const authorization = `Basic ${Buffer.from(`${tenant}:open-sesame`).toString('base64')}`
    for (let i = 0; i < times; i++) {
      const response = await fetch(`${nginx.urls.get(name)}${path}`, {
        headers: name === 'json' ? { 'x-tenant-id': tenant } : { authorization },
      })
      await response.arrayBuffer()
    }
  }
}

interface Row {
  readonly tenant: string
  readonly api: string
  readonly cause?: string
  readonly requests: number
  readonly payment_required: number
}

describeWithShippedNginx('a real nginx, shipped by a real rsyslog', () => {
  describeWithChdb('into history', () => {
    test('is understood without a word of configuration, as JSON and as combined', { timeout: 90_000 }, async () => {
      const brokers = await sharedKafka()
      const topic = topicName('nginx')
      await createTopic(brokers, topic)
      const nginx = await startNginx(gateways, ['behind', 'json', 'combined'])
      onTestFinished(() => nginx.stop())
      writeFileSync(join(nginx.dir, 'callers'), 'initech:{PLAIN}open-sesame\n')
      await call(nginx, 'json', jsonCalls)
      await call(nginx, 'combined', combinedCalls)
      const files = ['json.log', 'combined.log'].map((name) => join(nginx.dir, name))
      const rsyslog = await startRsyslog(files, brokers, topic)
      onTestFinished(() => rsyslog.stop())

      const daemon = await startTollwatch({ args: ['--kafka', brokers, '--topic', topic, '--group', topic] })
      onTestFinished(() => void daemon.child.kill())
      const total = [...jsonCalls, ...combinedCalls].reduce((sum, { times }) => sum + times, 0)
      const rows = async (by: string) =>
        (await daemon.get<{ rows: readonly Row[] }>(`/api/v1/summary?from=-1h&to=%2B1h&by=${by}`)).rows
      const counted = await waitFor(
        `${total} requests in history`,
        async () => {
          const found = await rows('tenant,api')
          return found.reduce((sum, { requests }) => sum + requests, 0) >= total ? found : null
        },
        { timeoutMs: 45_000, everyMs: 250, failed: () => (rsyslog.output() === '' ? null : rsyslog.output()) },
      )
      const short = counted.map(({ tenant, api, requests, payment_required }) => [
        tenant,
        api,
        requests,
        payment_required,
      ])
      expect(short.sort()).toEqual([
        ['acme', '/v1/cards/{id}', 7, 7],
        ['acme', '/v1/chat/{id}', 31, 0],
        ['globex', '/v1/quota', 5, 5],
        ['initech', '/v1/cards/{id}', 3, 3],
        ['initech', '/v1/chat/{id}', 20, 0],
      ])
      const causes = (await rows('tenant,cause')).map(({ tenant, cause, payment_required }) => [
        tenant,
        cause,
        payment_required,
      ])
      // A combined line has no room for a reason.
      expect(causes.filter(([, cause]) => cause !== '').sort()).toEqual([
        ['acme', 'payment_failed', 7],
        ['globex', 'quota_exceeded', 5],
        ['initech', 'unknown', 3],
      ])
      expect(await daemon.metrics()).toMatch(new RegExp(`tollwatch_records_total\\{result="ok"\\} ${total}\\n`))
      expect(daemon.logs()).not.toContain('hidden-in-the-query')
      expect((await daemon.stop()).code).toBe(0)
    })
  })
})
