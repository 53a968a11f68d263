import type { LanguageModelV4FilePart } from '@ai-sdk/provider';
import { type ContentPart, isJsonObject } from '../../../common/index';
import { invalidRequest } from './invalid-request';

const DATA_URL = /^data:([\w.+-]+\/[\w.+-]+)?(?:;[\w.+-]+=[^;,]*)*;base64,/i;

const AUDIO_TYPES: ReadonlyMap<string, string> = new Map([
  ['wav', 'audio/wav'],
  ['mp3', 'audio/mpeg'],
  ['aac', 'audio/aac'],
  ['aiff', 'audio/aiff'],
  ['flac', 'audio/flac'],
  ['ogg', 'audio/ogg'],
]);

/** An image by `data:` URL (base64) or by http(s) URL, which the provider fetches itself. */
export function imagePart(url: unknown, path: string): LanguageModelV4FilePart {
  if (typeof url !== 'string') throw invalidRequest(path, 'an image needs a URL');
  if (url.startsWith('data:')) return { type: 'file', ...dataUrl(url, path) };
  return { type: 'file', mediaType: 'image', data: { type: 'url', url: httpUrl(url, path) } };
}

/** OpenAI's `file` (a data URL) and `input_audio` (bare base64 with a format) parts. */
export function filePart(part: ContentPart, path: string): LanguageModelV4FilePart {
  const { file, input_audio: audio } = part;
  if (isJsonObject(audio) && typeof audio.data === 'string') {
    const mediaType = audioType(audio.format, `${path}.input_audio.format`);
    return { type: 'file', mediaType, data: { type: 'data', data: audio.data } };
  }
  if (!isJsonObject(file) || typeof file.file_data !== 'string') {
    throw invalidRequest(path, 'a file has to be given as file_data with a data: URL');
  }
  const filename = typeof file.filename === 'string' ? file.filename : undefined;
  return { type: 'file', filename, ...dataUrl(file.file_data, path) };
}

function audioType(format: unknown, path: string): string {
  const mediaType = typeof format === 'string' ? AUDIO_TYPES.get(format.toLowerCase()) : undefined;
  if (!mediaType) throw invalidRequest(path, `has to be one of ${[...AUDIO_TYPES.keys()].join(', ')}`);
  return mediaType;
}

function dataUrl(url: string, path: string): Pick<LanguageModelV4FilePart, 'mediaType' | 'data'> {
  const match = DATA_URL.exec(url.slice(0, 200));
  if (!match?.[1]) throw invalidRequest(path, 'a data: URL needs a media type and base64 data');
  return { mediaType: match[1].toLowerCase(), data: { type: 'data', data: url.slice(match[0].length) } };
}

function httpUrl(url: string, path: string): URL {
  const parsed = URL.parse(url);
  if (!parsed || !/^https?:$/.test(parsed.protocol)) {
    throw invalidRequest(path, 'an image URL has to be http, https or data');
  }
  return parsed;
}
