/** Records of every layout in which secrets stand wherever a gateway may log them. */
export interface Planted {
  /** Lines to be read, one value each; `refused` is how many records of each format are a 402. */
  readonly lines: readonly string[]
  readonly refused: Readonly<Record<string, number>>
  /** Values that cannot be read, with secrets too. */
  readonly unreadable: readonly string[]
  /** Every secret, and what encodings make of it. */
  readonly secrets: readonly string[]
  /** Names and ids that stand beside them and are meant to be kept. */
  readonly names: {
    readonly tenant: string
    readonly api: string
    readonly consumer: string
    readonly requestId: string
  }
}

const names = {
  tenant: 'tanager-and-sons',
  api: 'larkspur-api',
  consumer: 'consumer-of-tanager',
  requestId: 'rid-77-aa',
}

export function plantedRecords(nowMs: number): Planted {
  const planting = new Planting(nowMs)
  const { lines, refused } = readable(planting)
  return { lines, refused, unreadable: broken(planting), secrets: planting.secrets, names }
}

/** Makes secrets that nothing else looks like, and remembers them. */
class Planting {
  readonly secrets: string[] = []
  readonly iso: string
  readonly nowMs: number

  constructor(nowMs: number) {
    this.nowMs = nowMs
    this.iso = new Date(nowMs).toISOString()
  }

  hush(where: string): string {
    const secret = `Hush${where.replaceAll(/[^A-Za-z]/g, '')}Qzx`
    if (!this.secrets.includes(secret)) this.secrets.push(secret)
    return secret
  }

  base64(text: string): string {
    const encoded = Buffer.from(text).toString('base64')
    this.secrets.push(encoded.slice(-60))
    return encoded
  }

  /** A key or token as an id in a path: long, random to look at, and not to be kept. */
  token(digits: string): string {
    const token = `${digits}c7a1be4d2480f9a6bc0d1e2f3a4b5`.slice(0, 32)
    this.secrets.push(token)
    return token
  }

  query(who: string): string {
    return `api_key=${this.hush(`${who}query`)}&card=${this.hush(`${who}card`)}#${this.hush(`${who}fragment`)}`
  }

  requestHeaders(who: string): Record<string, string> {
    return {
      authorization: `Bearer ${this.hush(`${who}bearer`)}`,
      cookie: `session=${this.hush(`${who}cookie`)}`,
      'x-api-key': this.hush(`${who}apikey`),
      'x-payment': this.hush(`${who}payment`),
    }
  }

  responseHeaders(who: string): Record<string, string> {
    return { 'set-cookie': `session=${this.hush(`${who}setcookie`)}`, 'x-debug': this.hush(`${who}debugheader`) }
  }

  requestBody(who: string): string {
    return JSON.stringify({ prompt: this.hush(`${who}prompt`), card: { number: this.hush(`${who}number`) } })
  }

  /** A reason, and beside it what is nobody's business. */
  responseBody(who: string): string {
    const message = `Dear ${this.hush(`${who}person`)}, insufficient funds on card ${this.hush(`${who}bodycard`)}.`
    const [trace, said] = [this.hush(`${who}trace`), this.hush(`${who}said`)]
    return JSON.stringify({ error: { message, type: 'card_error', param: trace, [this.token(who)]: 1 }, output: said })
  }

  http(who: string, first: string, headers: Record<string, string>, body: string): string {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
    return `${first}\r\n${lines.join('\r\n')}\r\n\r\n${body}${this.hush(`${who}tail`)}`
  }
}

type Row = readonly [format: string, value: object | string]

function readable(p: Planting): Pick<Planted, 'lines' | 'refused'> {
  const rows: Row[] = [...gateways(p), ...clouds(p), ...conventions(p)]
  const refused: Record<string, number> = {}
  for (const [format] of rows) refused[format] = (refused[format] ?? 0) + 1
  return { lines: rows.map(([, value]) => (typeof value === 'string' ? value : JSON.stringify(value))), refused }
}

function gateways(p: Planting): Row[] {
  const { tenant, api, consumer, requestId } = names
  const upper = Object.entries(p.requestHeaders('tykraw'))
  const raw = p.http(
    'tykrequest',
    `POST /v1?${p.query('tykraw')} HTTP/1.1`,
    Object.fromEntries(upper),
    p.requestBody('tykraw'),
  )
  const answer = p.http(
    'tykanswer',
    'HTTP/1.1 402 Payment Required',
    p.responseHeaders('tykraw'),
    p.responseBody('tykraw'),
  )
  return [
    [
      'kong',
      {
        ...{ started_at: p.nowMs, latencies: { request: 4, proxy: 3 }, source: 'upstream', upstream_status: '402' },
        ...{ route: { name: api }, consumer: { custom_id: tenant, username: consumer } },
        request: {
          ...{
            id: requestId,
            method: 'POST',
            uri: `/v1?${p.query('kong')}`,
            url: `https://u:${p.hush('kongurl')}@gw.example/v1`,
          },
          ...{ headers: p.requestHeaders('kong'), querystring: { api_key: p.hush('kongquerystring') } },
          body: p.requestBody('kong'),
        },
        response: { status: 402, headers: p.responseHeaders('kong'), body: p.responseBody('kong') },
      },
    ],
    [
      'apisix',
      [
        {
          ...{
            start_time: p.nowMs,
            latency: 4.2,
            apisix_latency: 1,
            route_id: api,
            service_id: 's',
            upstream: '10.0.0.1:80',
          },
          consumer: { username: tenant },
          request: {
            uri: `/v1?${p.query('apisix')}`,
            headers: p.requestHeaders('apisix'),
            body: p.requestBody('apisix'),
          },
          response: { status: 402, headers: p.responseHeaders('apisix'), body: p.responseBody('apisix') },
        },
      ],
    ],
    [
      'apipark',
      {
        ...{ msec: p.nowMs, request_id: requestId, status: 402, proxy_status: 402, application: tenant, api },
        ...{ request_uri: `http://gw.example/v1?${p.query('apipark')}`, request_time: 4, request_method: 'POST' },
        request_header: new URLSearchParams(p.requestHeaders('apipark')).toString(),
        ...{ response_headers: p.responseHeaders('apipark'), request_body: p.requestBody('apipark') },
        ...{ proxy_body: p.requestBody('apiparkproxy'), proxy_header: `Authorization=${p.hush('apiparkproxyauth')}` },
        ...{ response_body: p.responseBody('apipark'), proxy_response_body: p.responseBody('apiparkproxy') },
      },
    ],
    [
      'envoy',
      {
        ...{ start_time: p.iso, response_code: 402, response_flags: 'UAEX', response_code_details: 'ext_authz_denied' },
        ...{
          tenant,
          method: 'POST',
          path: `/v1/${p.token('a0')}?${p.query('envoy')}`,
          duration: 4,
          route_name: 'default',
        },
        ...{
          authorization: p.hush('envoybearer'),
          cookie: p.hush('envoycookie'),
          response_body: p.responseBody('envoy'),
        },
      },
    ],
    [
      'nginx',
      {
        ...{ time_iso8601: p.iso, status: '402', request: `POST /v1/${p.token('b1')}?${p.query('nginx')} HTTP/1.1` },
        ...{ http_x_tenant_id: tenant, body_bytes_sent: '5', http_authorization: p.hush('nginxbearer') },
        ...{ http_cookie: p.hush('nginxcookie'), request_body: p.requestBody('nginx'), remote_addr: '203.0.113.9' },
        ...{
          sent_http_set_cookie: p.hush('nginxsetcookie'),
          args: p.query('nginxargs'),
          http_referer: p.hush('nginxreferer'),
        },
      },
    ],
    [
      'nginx',
      `203.0.113.9 - ${tenant} [${clf(p.iso)}] "POST /v1/${p.token('c2')}?${p.query('combined')} HTTP/1.1" 402 5 "https://x.example/?${p.hush('combinedreferer')}" "${p.hush('combinedagent')}"`,
    ],
    [
      'traefik',
      {
        ...{
          StartUTC: p.iso,
          DownstreamStatus: 402,
          OriginStatus: 402,
          Duration: 4_000_000,
          RouterName: `${api}@file`,
        },
        ...{ RequestPath: `/v1?${p.query('traefik')}`, RequestMethod: 'POST', 'request_X-Tenant-Id': tenant },
        ...{ request_Authorization: p.hush('traefikbearer'), request_Cookie: p.hush('traefikcookie') },
        'downstream_Set-Cookie': p.hush('traefiksetcookie'),
      },
    ],
    [
      'tyk',
      {
        ...{
          timestamp: p.iso,
          method: 'POST',
          path: `/v1?${p.query('tyk')}`,
          raw_path: `/v1?${p.query('tykrawpath')}`,
        },
        ...{
          response_code: 402,
          alias: tenant,
          api_key: p.hush('tykkey'),
          api_id: api,
          org_id: 'o',
          request_time_ms: 4,
        },
        ...{ raw_request: p.base64(raw), raw_response: p.base64(answer), tags: [`key-${p.hush('tyktag')}`] },
      },
    ],
    [
      'krakend',
      `[GIN] ${p.iso.slice(0, 10).replaceAll('-', '/')} - ${p.iso.slice(11, 19)} | 402 |    4.5ms |  203.0.113.9 | POST     "/v1/${p.token('d3')}?${p.query('krakend')}"`,
    ],
  ]
}

function clouds(p: Planting): Row[] {
  const { tenant, api, requestId } = names
  return [
    [
      'aws-apigw',
      {
        ...{ requestId, requestTimeEpoch: String(p.nowMs), status: '402', resourcePath: `/${api}`, httpMethod: 'POST' },
        authorizer: { tenantId: tenant, token: p.hush('awstoken') },
        identity: { apiKey: p.hush('awsapikey'), apiKeyId: 'key-1' },
        ...{ path: `/prod/v1?${p.query('aws')}`, responseBody: p.responseBody('aws') },
        error: { message: `Limit Exceeded for ${p.hush('awsmessage')}`, responseType: 'QUOTA_EXCEEDED' },
      },
    ],
    [
      'gravitee',
      {
        ...{ timestamp: p.nowMs, requestId, api, application: tenant, plan: 'gold', status: 402, proxyLatencyMs: 4 },
        ...{
          proxyResponseTimeMs: 4,
          httpMethod: 'POST',
          uri: `/v1?${p.query('gravitee')}`,
          errorKey: 'QUOTA_TOO_MANY_REQUESTS',
        },
        ...{ message: `Quota exceeded for ${p.hush('graviteemessage')}`, securityToken: p.hush('graviteetoken') },
      },
    ],
    [
      'wso2',
      {
        ...{
          requestTimestamp: p.iso,
          correlationId: requestId,
          apiId: api,
          apiName: 'L',
          apiCreatorTenantDomain: 'carbon.super',
        },
        ...{ applicationId: tenant, proxyResponseCode: 402, targetResponseCode: -1, errorType: 'THROTTLED' },
        ...{ errorCode: 900803, errorMessage: `Sorry ${p.hush('wsomessage')}`, responseLatency: 4 },
        properties: { authorization: p.hush('wsobearer'), query: p.query('wso') },
      },
    ],
    [
      'litellm',
      {
        ...{
          id: requestId,
          call_type: 'acompletion',
          startTime: p.nowMs / 1000,
          endTime: p.nowMs / 1000 + 1,
          status: 'failure',
        },
        ...{ model_group: api, model: 'm', error_str: `Budget has been exceeded! ${p.hush('litellmerror')}` },
        error_information: {
          ...{ error_code: '402', error_class: 'BudgetExceededError', llm_provider: 'openai' },
          error_message: p.responseBody('litellm'),
          traceback: p.hush('litellmtraceback'),
        },
        metadata: {
          user_api_key_team_id: tenant,
          user_api_key_hash: p.hush('litellmhash'),
          requester_metadata: p.hush('litellmmeta'),
        },
        ...{ messages: [{ role: 'user', content: p.hush('litellmprompt') }], response: p.hush('litellmresponse') },
        request_tags: [p.hush('litellmtag')],
      },
    ],
  ]
}

function conventions(p: Planting): Row[] {
  const { tenant, api, requestId } = names
  const attribute = (key: string, value: string) => ({ key, value: { stringValue: value } })
  const attributes = [
    ...[attribute('http.route', `/${api}`), attribute('tenant.id', tenant), attribute('url.query', p.query('otlp'))],
    ...[attribute('http.request.header.authorization', p.hush('otlpbearer')), attribute('error.type', 'past_due')],
    { key: 'http.response.status_code', value: { intValue: '402' } },
  ]
  const logRecord = { timeUnixNano: `${p.nowMs}000000`, attributes, body: { stringValue: p.responseBody('otlp') } }
  return [
    ['otlp', { resourceLogs: [{ resource: { attributes: [] }, scopeLogs: [{ logRecords: [logRecord] }] }] }],
    [
      'ecs',
      {
        ...{ '@timestamp': p.iso, organization: { id: tenant }, event: { duration: 4_000_000 } },
        http: {
          request: { method: 'POST', id: requestId, body: { content: p.requestBody('ecs') } },
          response: { status_code: 402, body: { content: p.responseBody('ecs') } },
        },
        url: { path: `/v1/${p.token('e4')}`, original: `/v1?${p.query('ecs')}`, query: p.query('ecsquery') },
        error: { message: `Quota exceeded, ${p.hush('ecsmessage')}` },
      },
    ],
    [
      'custom',
      {
        ...{ when: p.iso, outcome: 402, who: tenant, what: `/v1/${p.token('f5')}?${p.query('custom')}` },
        ...{ answer: p.responseBody('custom'), note: p.hush('customnote') },
      },
    ],
  ]
}

/** What nobody can read: cut, of an unknown layout, with secrets in values, keys, times, statuses and plain text. */
function broken(p: Planting): string[] {
  const cut = JSON.stringify({ response: { status: 402 }, request: { headers: p.requestHeaders('cut') }, x: 1 })
  return [
    cut.slice(0, -8),
    `just a line that says ${p.hush('plain')}`,
    JSON.stringify({ unheard: p.hush('unheard'), of: { token: p.hush('nested') }, [p.token('07')]: 'x' }),
    JSON.stringify({ latencies: {}, started_at: p.hush('time'), response: { status: 402 }, x: p.hush('badtime') }),
    JSON.stringify({ latencies: {}, started_at: p.nowMs, response: { status: p.hush('status') } }),
    JSON.stringify({ latencies: {}, started_at: p.nowMs, response: p.hush('response') }),
    JSON.stringify({ latencies: {}, started_at: 1, response: { status: 402, body: p.hush('toold') } }),
    JSON.stringify({ latencies: {}, started_at: p.nowMs * 2, response: { status: 402, body: p.hush('future') } }),
    JSON.stringify(`POST /v1?${p.query('rawhttp')} HTTP/1.1\r\nAuthorization: ${p.hush('rawhttpauth')}\r\n\r\n`),
    `{"status":${p.hush('unquoted')},"request":"GET /?${p.hush('unquotedquery')}"}`,
    p.base64(`secret of base64 ${p.hush('base')}`),
    `203.0.113.9 - x [${clf(p.iso)}] "POST /v1?${p.hush('halfline')} HTTP/1.1" ${p.hush('halfstatus')} -`,
  ]
}

/** `05/Oct/2026:08:15:36 +0000` */
function clf(iso: string): string {
  const month = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'][
    Number(iso.slice(5, 7)) - 1
  ]
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11, 19)} +0000`
}
