/** Longest key that is shown. */
export const plainKeyLimit = 40

/**
 * Whether a JSON key is a plain field name that may be shown: words of letters joined by `_ - . @ :` or by camelCase,
 * with at most four digits. A key could be a secret itself (a map by token, by card, by mail address), so whatever
 * looks made by a machine is not plain.
 */
export function isPlainKey(key: string): boolean {
  if (key.length === 0 || key.length > plainKeyLimit || !/^[A-Za-z0-9_.@:$-]+$/.test(key)) return false
  if (key.includes('@', 1) || (key.match(/\d/g)?.length ?? 0) > 4) return false
  let pieces = 0
  for (const part of key.split(/[_.@:$-]+/)) {
    if (part === '') continue
    pieces += piecesOf(part)
    if (pieces > 8) return false
  }
  return pieces > 0
}

/** Words in a part: `requestTimeMs` has three. Too many to pass for `isPlainKey` where it is no words at all. */
function piecesOf(part: string): number {
  if (part.length > 24) return 99
  if (/^(?:[a-z]{1,20}|[A-Z]{1,12})\d{0,4}$/.test(part)) return 1
  const words = part.match(/[A-Z]{1,5}(?![a-z])\d{0,4}|[A-Z]?[a-z]+\d{0,4}|\d{1,4}/g) ?? []
  // Camel case has a few words of some length; base64 has many of one or two letters.
  return words.length <= 5 && part.length / words.length >= 2.4 && !/\d[A-Za-z]+\d/.test(part) ? words.length : 99
}

/**
 * Whether a key consists of words of gateway logs only. In broken JSON a value can stand where a key should be, so only
 * words that we know may be shown there.
 */
export function isKnownKey(key: string): boolean {
  if (key.length === 0 || key.length > plainKeyLimit || !/^[A-Za-z0-9_.@:-]+$/.test(key)) return false
  const words = key.match(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+/g) ?? []
  if (words.length === 0 || (key.match(/\d/g)?.length ?? 0) > 4) return false
  return words.every((word) => /^\d/.test(word) || knownWords.has(word.toLowerCase()))
}

const knownWords = new Set(
  `access account addr address agent ai alias answer api apisix app application attributes auth authenticated
  authority authorization backend body bytes caller client cluster code common connection consumer content context
  cost count created custom customer data date decline detail details domain downstream duration endpoint entity entry
  env environment epoch error errors event factor fault field fields flag flags format forwarded gateway group handler
  header headers host http id identity index input instance integration invalid ip iso key kong kind label labels
  latencies latency length level line local log logs message meta metadata method mode model ms msec msg name
  namespace node ns number operation org organization origin output owner param params path payload payment plan
  plugin pod port properties protocol provider proxy query quota rate real reason received records referer region
  remaining remote request reset resource response result retry route router scheme scope sent server service session
  size source span stage start started state status statuses strategy stream subscription tags template tenant time
  timestamp tls token tokens total trace tries type unix upstream uri url user usage username value version via
  workspace x`.split(/\s+/),
)
