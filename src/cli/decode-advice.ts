import type { FormatName } from '../decode/decode.ts'

/** What an operator can do in the gateway so that Tollwatch knows more. */
export interface Advice {
  /** So that the tenant is known. */
  readonly tenant: string
  /** So that the cause is. */
  readonly cause: string
}

/** By layout. The README has the same as snippets of configuration. */
export const adviceFor: Readonly<Record<FormatName, Advice>> = {
  apipark: {
    tenant: 'put $application into the formatter',
    cause: 'put $response_body, $proxy_response_body, $response_headers, $proxy_status and $handler into the formatter',
  },
  kong: {
    tenant: 'give consumers a custom_id; anonymous calls have no consumer',
    cause: 'log the body of refusals as response.body with custom_fields_by_lua, or answer with an x-error-code header',
  },
  apisix: {
    tenant: 'authenticate with consumers, or log "tenant": "$http_x_tenant_id"',
    cause: 'set include_resp_body: true in kafka-logger',
  },
  envoy: {
    tenant: 'add "tenant": "%REQ(X-TENANT-ID)%" to the JSON format',
    cause: 'log response_flags, response_code_details and "response_header_x_error_code": "%RESP(X-ERROR-CODE)%"',
  },
  nginx: {
    tenant: 'add "tenant":"$http_x_tenant_id" to a JSON log_format',
    cause:
      'add "sent_http_x_error_code":"$sent_http_x_error_code" and "upstream_status":"$upstream_status" to a JSON log_format',
  },
  traefik: {
    tenant:
      'keep the header (accesslog.fields.headers.names.X-Tenant-Id=keep) and set decode.tenant.traefik: request_X-Tenant-Id',
    cause: 'keep the headers that say why, such as X-Error-Code: accesslog.fields.headers.names.X-Error-Code=keep',
  },
  tyk: {
    tenant: 'give keys an alias',
    cause: 'switch detailed recording on, so that raw_response is logged',
  },
  'aws-apigw': {
    tenant: 'log "tenant":"$context.authorizer.tenantId", or $context.identity.apiKeyId',
    cause: 'log $context.error.responseType and $context.error.message',
  },
  gravitee: {
    tenant: 'use a plan with an API key, JWT or OAuth2; keyless plans have no application',
    cause: 'refusals by Gravitee have an errorKey; for those of upstreams write rules under classify.rules',
  },
  wso2: {
    tenant: 'call with the credentials of an application',
    cause: 'send the fault events too; they have errorCode',
  },
  krakend: {
    tenant: 'log the header with the tenant; only the format of the Enterprise edition can',
    cause: 'the text has no cause; write rules under classify.rules',
  },
  otlp: {
    tenant: 'set the attribute tenant.id',
    cause: 'set the attribute error.type, or http.response.header.x-error-code',
  },
  ecs: {
    tenant: 'set organization.id',
    cause: 'set error.code',
  },
  litellm: {
    tenant: 'give keys a team',
    cause: 'log error_information',
  },
  custom: {
    tenant: 'name its place in decode.custom.tenant',
    cause: 'name decode.custom.cause_code, cause_text, response_body or response_headers',
  },
}
