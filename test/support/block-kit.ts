/**
 * The limits that Slack puts on a message to an incoming webhook, from its reference of blocks, composition objects and
 * block elements. Slack answers `invalid_blocks` without saying which; a test wants to know.
 */

const limits = {
  blocks: 50,
  messageText: 40_000,
  blockId: 255,
  headerText: 150,
  sectionText: 3_000,
  sectionFields: 10,
  fieldText: 2_000,
  contextElements: 10,
  contextText: 3_000,
  actionsElements: 25,
  buttonText: 75,
  actionId: 255,
  url: 3_000,
  buttonValue: 2_000,
  imageAlt: 2_000,
  imageTitle: 2_000,
  attachments: 20,
} as const

type Json = Record<string, unknown>

/** Everything Slack would refuse in the JSON body of a webhook request, each with its path; empty when it would post it. */
export function blockKitProblems(body: unknown): readonly string[] {
  const check = new Check()
  if (!isObject(body)) return ['the body is no JSON object']
  check.only(body, '', [
    'text',
    'blocks',
    'attachments',
    'unfurl_links',
    'unfurl_media',
    'mrkdwn',
    'thread_ts',
    'response_type',
  ])
  if (body['text'] !== undefined) check.text(body['text'], 'text', limits.messageText)
  // Without it a notification on a phone and a screen reader have nothing to say.
  else check.say('text', 'is missing: notifications show it in place of the blocks')
  if (body['blocks'] !== undefined) check.blocks(body['blocks'], 'blocks')
  check.list(body['attachments'] ?? [], 'attachments', limits.attachments, (attachment, path) => {
    if (!isObject(attachment)) {
      check.say(path, 'is no object')
      return
    }
    if (attachment['blocks'] !== undefined) check.blocks(attachment['blocks'], `${path}.blocks`)
    if (
      attachment['color'] !== undefined &&
      !/^(#[0-9a-fA-F]{6}|good|warning|danger)$/.test(String(attachment['color']))
    ) {
      check.say(`${path}.color`, 'is no colour')
    }
  })
  return check.problems
}

class Check {
  readonly problems: string[] = []

  say(path: string, problem: string): void {
    this.problems.push(`${path} ${problem}`)
  }

  only(object: Json, path: string, known: readonly string[]): void {
    for (const key of Object.keys(object)) {
      if (!known.includes(key)) this.say(path === '' ? key : `${path}.${key}`, 'is unknown to Slack')
    }
  }

  list(value: unknown, path: string, most: number, each: (item: unknown, path: string) => void): void {
    if (!Array.isArray(value)) {
      this.say(path, 'is no list')
      return
    }
    if (value.length > most) this.say(path, `has ${value.length} entries, ${most} are allowed`)
    for (const [index, item] of value.entries()) each(item, `${path}[${index}]`)
  }

  text(value: unknown, path: string, most: number): void {
    if (typeof value !== 'string') {
      this.say(path, 'is no text')
      return
    }
    if (value.length === 0) this.say(path, 'is empty')
    if (value.length > most) this.say(path, `has ${value.length} characters, ${most} are allowed`)
  }

  optionalText(value: unknown, path: string, most: number): void {
    if (value !== undefined) this.text(value, path, most)
  }

  /** A composition object `{type, text}`. */
  textObject(value: unknown, path: string, most: number, types: readonly string[] = ['plain_text', 'mrkdwn']): void {
    if (!isObject(value)) {
      this.say(path, 'is no text object')
      return
    }
    const type = value['type']
    if (typeof type !== 'string' || !types.includes(type)) {
      this.say(`${path}.type`, `is not ${types.join(' or ')}`)
      return
    }
    this.only(value, path, type === 'mrkdwn' ? ['type', 'text', 'verbatim'] : ['type', 'text', 'emoji'])
    this.text(value['text'], `${path}.text`, most)
    if (type === 'mrkdwn' && typeof value['text'] === 'string') this.mrkdwn(value['text'], `${path}.text`)
  }

  /** `&`, `<` and `>` are Slack's own signs: outside of links and mentions they must be written as entities. */
  mrkdwn(text: string, path: string): void {
    const rest = text.replace(/<(?:https?:\/\/|mailto:|[@#!])[^<>]*>/g, '').replace(/&(?:amp|lt|gt);/g, '')
    const bare = /[&<>]/.exec(rest.replace(/^>/gm, ''))
    if (bare !== null) this.say(path, `has a bare ${bare[0]}, which Slack reads as its own`)
  }

  blocks(value: unknown, path: string): void {
    const ids = new Set<unknown>()
    this.list(value, path, limits.blocks, (block, at) => {
      if (!isObject(block)) {
        this.say(at, 'is no object')
        return
      }
      this.optionalText(block['block_id'], `${at}.block_id`, limits.blockId)
      if (block['block_id'] !== undefined && ids.has(block['block_id'])) this.say(`${at}.block_id`, 'is used twice')
      ids.add(block['block_id'])
      this.block(block, at)
    })
  }

  block(block: Json, path: string): void {
    switch (block['type']) {
      case 'header':
        this.only(block, path, ['type', 'block_id', 'text', 'level'])
        this.textObject(block['text'], `${path}.text`, limits.headerText, ['plain_text'])
        break
      case 'divider':
        this.only(block, path, ['type', 'block_id'])
        break
      case 'section':
        this.section(block, path)
        break
      case 'context':
        this.only(block, path, ['type', 'block_id', 'elements'])
        this.list(block['elements'], `${path}.elements`, limits.contextElements, (element, at) => {
          if (isObject(element) && element['type'] === 'image') this.image(element, at)
          else this.textObject(element, at, limits.contextText)
        })
        break
      case 'actions':
        this.only(block, path, ['type', 'block_id', 'elements'])
        this.list(block['elements'], `${path}.elements`, limits.actionsElements, (element, at) =>
          this.button(element, at),
        )
        break
      case 'image':
        this.image(block, path)
        if (block['title'] !== undefined)
          this.textObject(block['title'], `${path}.title`, limits.imageTitle, ['plain_text'])
        break
      default:
        this.say(`${path}.type`, `is ${JSON.stringify(block['type'])}, which no message of ours needs`)
        break
    }
  }

  section(block: Json, path: string): void {
    this.only(block, path, ['type', 'block_id', 'text', 'fields', 'accessory', 'expand'])
    if (block['text'] === undefined && block['fields'] === undefined) this.say(path, 'has neither text nor fields')
    if (block['text'] !== undefined) this.textObject(block['text'], `${path}.text`, limits.sectionText)
    if (block['fields'] !== undefined) {
      this.list(block['fields'], `${path}.fields`, limits.sectionFields, (field, at) =>
        this.textObject(field, at, limits.fieldText),
      )
      if (Array.isArray(block['fields']) && block['fields'].length === 0) this.say(`${path}.fields`, 'is empty')
    }
    if (block['accessory'] !== undefined) this.button(block['accessory'], `${path}.accessory`)
  }

  image(image: Json, path: string): void {
    this.text(image['alt_text'], `${path}.alt_text`, limits.imageAlt)
    const file = image['slack_file']
    if (file === undefined) this.url(image['image_url'], `${path}.image_url`)
    else if (image['image_url'] !== undefined) this.say(path, 'has an address and a file')
    else if (!isObject(file) || !/^F[A-Z0-9]{8,}$/.test(String(file['id'])))
      this.say(`${path}.slack_file`, 'is no file')
  }

  button(value: unknown, path: string): void {
    if (!isObject(value) || value['type'] !== 'button') {
      this.say(path, 'is no button')
      return
    }
    this.only(value, path, ['type', 'text', 'action_id', 'url', 'value', 'style', 'confirm', 'accessibility_label'])
    this.textObject(value['text'], `${path}.text`, limits.buttonText, ['plain_text'])
    this.optionalText(value['action_id'], `${path}.action_id`, limits.actionId)
    this.optionalText(value['value'], `${path}.value`, limits.buttonValue)
    if (value['url'] !== undefined) this.url(value['url'], `${path}.url`)
    if (value['style'] !== undefined && !['primary', 'danger'].includes(String(value['style'])))
      this.say(`${path}.style`, 'is unknown')
  }

  url(value: unknown, path: string): void {
    this.text(value, path, limits.url)
    if (typeof value === 'string' && !/^https?:\/\/\S+$/.test(value)) this.say(path, 'is no http address')
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
