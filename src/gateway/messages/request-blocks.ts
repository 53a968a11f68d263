/** Content blocks of Anthropic's dialect as parts of OpenAI's. */
import type { ChatMessage, ContentPart, JsonObject, JsonValue } from '../../common/index';
import { invalid } from '../invalid';
import {
  type Conversion,
  isAbsent,
  kindOf,
  listAt,
  nameAt,
  objectAt,
  onlyFields,
  textAt,
} from './conversion';

const IMAGE_TYPES = ['image/jpeg', 'image/png', 'image/gif', 'image/webp'];
const HTTP_URL = /^https?:\/\//i;

export function textPart(block: JsonObject, at: string, conversion: Conversion): ContentPart {
  onlyFields(block, ['type', 'text', 'cache_control', 'citations'], at);
  const { citations } = block;
  if (Array.isArray(citations) && citations.length > 0) conversion.warn('citations of text were left out');
  return {
    type: 'text',
    text: conversion.text(block.text, `${at}.text`),
    ...conversion.cacheMark(block, at),
  };
}

/** What a user's turn may hold beside tool results. */
export function userParts(block: JsonObject, at: string, conversion: Conversion): readonly ContentPart[] {
  switch (kindOf(block)) {
    case 'text':
      return [textPart(block, at, conversion)];
    case 'image':
      return [imagePart(block, at, conversion)];
    case 'document':
      return documentParts(block, at, conversion);
    default:
      return refuseBlock(block, at, 'text, image, document and tool_result');
  }
}

export function refuseBlock(block: JsonObject, at: string, supported: string): never {
  const kind = kindOf(block).slice(0, 100) || 'missing';
  return invalid(`${at}.type`, `is ${kind}; supported here are ${supported}`);
}

function imagePart(block: JsonObject, at: string, conversion: Conversion): ContentPart {
  onlyFields(block, ['type', 'source', 'cache_control'], at);
  const source = objectAt(block.source, `${at}.source`);
  return { type: 'image_url', image_url: { url: imageUrl(source, at) }, ...conversion.cacheMark(block, at) };
}

function imageUrl(source: JsonObject, at: string): string {
  if (source.type === 'url') {
    const url = textAt(source.url, `${at}.source.url`);
    return HTTP_URL.test(url) ? url : invalid(`${at}.source.url`, 'must be an http(s) URL');
  }
  if (source.type !== 'base64')
    invalid(`${at}.source.type`, 'must be base64 or url; files are not kept here');
  const { media_type: type } = source;
  if (typeof type !== 'string' || !IMAGE_TYPES.includes(type)) {
    invalid(`${at}.source.media_type`, `must be one of ${IMAGE_TYPES.join(', ')}`);
  }
  return `data:${type};base64,${nameAt(source.data, `${at}.source.data`)}`;
}

function documentParts(block: JsonObject, at: string, conversion: Conversion): readonly ContentPart[] {
  onlyFields(block, ['type', 'source', 'title', 'context', 'citations', 'cache_control'], at);
  const { title, context, citations } = block;
  if (!isAbsent(citations) && objectAt(citations, `${at}.citations`).enabled === true) {
    conversion.warn('citations were left out: the answer will hold none');
  }
  const about = [title, context].filter((value) => !isAbsent(value));
  const parts: ContentPart[] = about.map((value) => ({ type: 'text', text: conversion.text(value, at) }));
  const source = objectAt(block.source, `${at}.source`);
  parts.push(...sourceParts(source, typeof title === 'string' ? title : 'document.pdf', { at, conversion }));
  const last = parts.at(-1);
  return last ? [...parts.slice(0, -1), { ...last, ...conversion.cacheMark(block, at) }] : parts;
}

function sourceParts(
  source: JsonObject,
  filename: string,
  { at, conversion }: { readonly at: string; readonly conversion: Conversion },
): readonly ContentPart[] {
  switch (kindOf(source)) {
    case 'base64': {
      if (source.media_type !== 'application/pdf')
        invalid(`${at}.source.media_type`, 'must be application/pdf');
      const data = `data:application/pdf;base64,${nameAt(source.data, `${at}.source.data`)}`;
      return [{ type: 'file', file: { filename, file_data: data } }];
    }
    case 'text':
      return [{ type: 'text', text: conversion.text(source.data, `${at}.source.data`) }];
    case 'content':
      return partsOf(source.content, `${at}.source.content`, conversion);
    default:
      return invalid(`${at}.source.type`, 'must be base64, text or content; files are not kept here');
  }
}

/** A string or a list of blocks. */
function partsOf(content: JsonValue | undefined, at: string, conversion: Conversion): readonly ContentPart[] {
  if (isAbsent(content)) return [];
  if (typeof content === 'string') return [{ type: 'text', text: conversion.text(content, at) }];
  return listAt(content, at).flatMap((block, index) => {
    const place = `${at}[${index}]`;
    return userParts(objectAt(block, place), place, conversion);
  });
}

export interface ToolResult {
  readonly message: ChatMessage;
  /** What OpenAI's dialect does not take in a tool's answer: it goes into the user's turn behind it. */
  readonly parts: readonly ContentPart[];
}

/** OpenAI's dialect has no `is_error`: the text says it. */
export function toolResult(block: JsonObject, at: string, conversion: Conversion): ToolResult {
  onlyFields(block, ['type', 'tool_use_id', 'content', 'is_error', 'cache_control'], at);
  const id = nameAt(block.tool_use_id, `${at}.tool_use_id`);
  const parts = partsOf(block.content, `${at}.content`, conversion);
  const texts = parts.flatMap((part) => part.text ?? []);
  const attached = parts.filter((part) => part.text === undefined);
  const text = texts.join('\n') || (attached.length > 0 ? 'The result is attached below.' : '');
  return {
    message: {
      role: 'tool',
      tool_call_id: id,
      content: block.is_error === true ? `Error: ${text}` : text,
      ...conversion.cacheMark(block, at),
    },
    parts: attached.length > 0 ? [{ type: 'text', text: `Result of the tool call ${id}:` }, ...attached] : [],
  };
}
