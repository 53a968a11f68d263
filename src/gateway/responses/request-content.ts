/** Content parts of the Responses API as parts of OpenAI's chat dialect. */
import type { ContentPart, JsonObject, JsonValue } from '../../common/index';
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
} from '../messages/conversion';

const IMAGE_URL = /^(https?:\/\/|data:image\/)/i;
const DETAILS: readonly unknown[] = ['auto', 'low', 'high'];
const NO_FILES = 'is not supported: files are not kept here, send the data itself';

/** Text, image and file parts, or a plain string. */
export function inputParts(
  content: JsonValue | undefined,
  at: string,
  conversion: Conversion,
): readonly ContentPart[] {
  if (typeof content === 'string') return [{ type: 'text', text: conversion.text(content, at) }];
  return partsAt(content, at).map(([part, place]) => inputPart(part, place, conversion));
}

/** The text of a message that may hold nothing else. */
export function inputText(content: JsonValue | undefined, at: string, conversion: Conversion): string {
  if (typeof content === 'string') return conversion.text(content, at);
  const texts = partsAt(content, at).map(([part, place]) => {
    if (kindOf(part) !== 'input_text') refusePart(part, place, 'input_text');
    return textPart(part, place, conversion).text ?? '';
  });
  return texts.join('\n\n');
}

/** What a model said before. */
export function outputText(content: JsonValue | undefined, at: string, conversion: Conversion): string {
  if (typeof content === 'string') return conversion.text(content, at);
  const texts = partsAt(content, at).map(([part, place]) => {
    switch (kindOf(part)) {
      case 'output_text':
        // What the client's library parsed out of the text says nothing new.
        onlyFields(part, ['type', 'text', 'annotations', 'logprobs', 'parsed'], place);
        return conversion.text(part.text, `${place}.text`);
      case 'refusal':
        onlyFields(part, ['type', 'refusal', 'parsed'], place);
        return conversion.text(part.refusal, `${place}.refusal`);
      case 'input_text':
        return textPart(part, place, conversion).text ?? '';
      default:
        return refusePart(part, place, 'output_text and refusal');
    }
  });
  return texts.join('');
}

/** A lone text is a string: every model takes that. */
export function simplest(parts: readonly ContentPart[]): string | readonly ContentPart[] {
  const [first] = parts;
  return parts.length === 1 && first?.type === 'text' ? (first.text ?? '') : parts;
}

function inputPart(part: JsonObject, at: string, conversion: Conversion): ContentPart {
  switch (kindOf(part)) {
    case 'input_text':
      return textPart(part, at, conversion);
    case 'input_image':
      return imagePart(part, at, conversion);
    case 'input_file':
      return filePart(part, at, conversion);
    default:
      return refusePart(part, at, 'input_text, input_image and input_file');
  }
}

function textPart(part: JsonObject, at: string, conversion: Conversion): ContentPart {
  onlyFields(part, ['type', 'text', 'prompt_cache_breakpoint'], at);
  noteBreakpoint(part, conversion);
  return { type: 'text', text: conversion.text(part.text, `${at}.text`) };
}

function imagePart(part: JsonObject, at: string, conversion: Conversion): ContentPart {
  onlyFields(part, ['type', 'image_url', 'file_id', 'detail', 'prompt_cache_breakpoint'], at);
  noteBreakpoint(part, conversion);
  if (!isAbsent(part.file_id)) invalid(`${at}.file_id`, NO_FILES);
  const { image_url: url, detail } = part;
  if (typeof url !== 'string' || !IMAGE_URL.test(url))
    invalid(`${at}.image_url`, 'must be an http(s) URL or a data:image/ URL');
  const isKnown = DETAILS.includes(detail);
  if (detail === 'original') conversion.warn('detail original of images was left out');
  else if (!isAbsent(detail) && !isKnown) invalid(`${at}.detail`, 'must be auto, low, high or original');
  return { type: 'image_url', image_url: { url, ...(isKnown ? { detail: detail as string } : {}) } };
}

function filePart(part: JsonObject, at: string, conversion: Conversion): ContentPart {
  onlyFields(
    part,
    ['type', 'file_data', 'filename', 'file_id', 'file_url', 'detail', 'prompt_cache_breakpoint'],
    at,
  );
  noteBreakpoint(part, conversion);
  for (const field of ['file_id', 'file_url'])
    if (!isAbsent(part[field])) invalid(`${at}.${field}`, NO_FILES);
  if (!isAbsent(part.detail)) conversion.warn('detail of files was left out');
  const filename = isAbsent(part.filename) ? 'file' : textAt(part.filename, `${at}.filename`);
  return { type: 'file', file: { filename, file_data: nameAt(part.file_data, `${at}.file_data`) } };
}

function noteBreakpoint(part: JsonObject, conversion: Conversion): void {
  if (!isAbsent(part.prompt_cache_breakpoint)) conversion.warn('prompt_cache_breakpoint was left out');
}

function refusePart(part: JsonObject, at: string, supported: string): never {
  const kind = kindOf(part).slice(0, 100) || 'missing';
  return invalid(`${at}.type`, `is ${kind}; supported here are ${supported}`);
}

function partsAt(content: JsonValue | undefined, at: string): readonly (readonly [JsonObject, string])[] {
  if (isAbsent(content)) invalid(at, 'must be a string or a list of parts');
  return listAt(content, at).map((part, index) => {
    const place = `${at}[${index}]`;
    return [objectAt(part, place), place] as const;
  });
}
