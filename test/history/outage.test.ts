import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openServer } from '../../src/history/database.ts'
import { classified, outageOf } from '../../src/history/outage.ts'
import { freePort } from '../support/process.ts'

const answer = (code: string, message = 'x') => Object.assign(new Error(message), { code })

describe('classified', () => {
  test.each([
    ['too many parts', '252', 'store-busy', 'wait'],
    ['a read-only replica', '242', 'store-busy', 'wait'],
    ['out of memory', '241', 'store-busy', 'wait'],
    ['Keeper away', '999', 'store-busy', 'wait'],
    ['an unknown outcome', '319', 'store-busy', 'wait'],
    ['too few replicas', '285', 'store-busy', 'wait'],
    ['a slow query', '159', 'store-busy', 'wait'],
    ['a full disk', '243', 'store-busy', 'operator'],
    ['a full disk beside the embedded store', 'ENOSPC', 'store-busy', 'operator'],
    ['a read-only user', '164', 'store-busy', 'operator'],
    ['a wrong password', '516', 'store-refused', 'operator'],
    ['a missing right', '497', 'store-refused', 'operator'],
    ['a missing table', '60', 'store-refused', 'operator'],
    ['a missing database', '81', 'store-refused', 'operator'],
    ['no connection', 'ECONNREFUSED', 'store-unreachable', 'wait'],
    ['no such host', 'ENOTFOUND', 'store-unreachable', 'wait'],
    ['an expired certificate', 'CERT_HAS_EXPIRED', 'store-unreachable', 'operator'],
  ])('knows %s as something that ends, and who ends it', (_, code, fault, outage) => {
    const found = classified(answer(code))
    expect([found.code, found.retryable, outageOf(found)]).toEqual([fault, true, outage])
  })

  test('knows a statement that ClickHouse does not take as a mistake of ours', () => {
    const found = classified(answer('47', 'Unknown identifier\nand a long list'))
    expect([found.code, found.retryable, outageOf(found)]).toEqual(['store-refused', false, 'bug'])
    expect(found.message).toBe('ClickHouse refuses the statement: Unknown identifier')
    expect(outageOf(new TypeError('undefined'))).toBe('bug')
  })

  test('tells a second process in the embedded store from an outage', () => {
    const found = classified(answer('CHDB_CONNECTION', 'Cannot lock file'))
    expect([found.code, found.retryable, outageOf(found)]).toEqual(['store-locked', false, 'operator'])
  })

  test('says what to do, and leaves out what a message of the server may tell', () => {
    for (const code of ['516', '497', '243', '60', 'ENOSPC']) {
      const { message } = classified(answer(code, 'user: Authentication failed for token s3cret'))
      expect(message).not.toContain('s3cret')
      expect(message).toMatch(/check|docs\/clickhouse\.md|make room|restart/)
    }
  })
})

describe('A server over HTTP', () => {
  let respond: (code: number) => { status: number; headers: Record<string, string>; body: string } | null
  const server = createServer((request, response) => {
    request.resume()
    request.on('end', () => {
      const said = respond(0)
      if (said === null) return
      response.writeHead(said.status, said.headers)
      response.end(said.body)
    })
  })
  let url: string
  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  })
  afterAll(() => {
    server.closeAllConnections()
    server.close()
  })

  const outage = async (database: ReturnType<typeof openServer>): Promise<unknown[]> => {
    const fault: unknown = await database.query('SELECT 1').catch((error: unknown) => error)
    await database.close()
    const { code, retryable, message } = fault as { code: string; retryable: boolean; message: string }
    return [code, retryable, outageOf(fault), message]
  }

  test.each([
    [
      252,
      'TOO_MANY_PARTS',
      ['store-busy', true, 'wait', 'ClickHouse cannot serve now: too many parts; merges must catch up'],
    ],
    [
      243,
      'NOT_ENOUGH_SPACE',
      [
        'store-busy',
        true,
        'operator',
        'ClickHouse cannot serve now: the disk is full: make room on the server of ClickHouse',
      ],
    ],
    [
      516,
      'AUTHENTICATION_FAILED',
      ['store-refused', true, 'operator', 'ClickHouse refuses: user or password is wrong: check history.clickhouse'],
    ],
    [
      497,
      'ACCESS_DENIED',
      [
        'store-refused',
        true,
        'operator',
        'ClickHouse refuses: the user lacks a right: see the grants in docs/clickhouse.md',
      ],
    ],
  ])('that answers %i is classified by the code in its answer', async (code, type, expected) => {
    respond = () => ({
      status: code === 516 ? 403 : 500,
      headers: { 'X-ClickHouse-Exception-Code': String(code) },
      body: `Code: ${code}. DB::Exception: a test. (${type}) (version 24.8.1.1)\n`,
    })
    expect(await outage(openServer({ url, user: 'u' }, 'p'))).toEqual(expected)
  })

  test('that does not answer in time is busy, and one that is not there is away', async () => {
    respond = () => null
    expect(await outage(openServer({ url, user: 'u' }, 'p', 200))).toEqual([
      ...['store-busy', true, 'wait', 'ClickHouse cannot serve now: no answer came in time'],
    ])
    const nobody = `http://127.0.0.1:${await freePort()}`
    expect((await outage(openServer({ url: nobody, user: 'u' }, 'p'))).slice(0, 3)).toEqual([
      'store-unreachable',
      true,
      'wait',
    ])
  })
})
