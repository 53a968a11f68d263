/** What an MCP server answers to a call, as text for a model. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../common/index';

const MAX_ERROR_CHARS = 1000;

/** @throws Error when the server says that the tool failed */
export function resultText({ content, structuredContent, isError }: JsonObject): string {
  const parts = Array.isArray(content) ? (content as readonly JsonValue[]).map(partText) : [];
  const text = parts.length === 0 && structuredContent ? JSON.stringify(structuredContent) : parts.join('\n');
  // Of a failure's text, a model is given one line.
  if (isError === true)
    throw new Error(text.replaceAll(/\s+/g, ' ').trim().slice(0, MAX_ERROR_CHARS) || 'it failed');
  return text;
}

/** What is no text is described. */
function partText(part: JsonValue): string {
  if (!isJsonObject(part)) return '[something that is no content]';
  const { type, text, data, uri, name, resource } = part;
  if (type === 'text') return typeof text === 'string' ? text : '';
  if (type === 'image' || type === 'audio') return `[${type}, ${mime(part)}, ${bytesOf(data)} bytes]`;
  if (type === 'resource_link') return `[link to ${textOf(name)}: ${textOf(uri)}]`;
  if (type !== 'resource' || !isJsonObject(resource)) return '[content of a kind that is not known]';
  if (typeof resource.text === 'string') return `[${textOf(resource.uri)}]\n${resource.text}`;
  return `[${textOf(resource.uri)}, ${mime(resource)}, ${bytesOf(resource.blob)} bytes]`;
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : 'a resource';
}

function mime({ mimeType }: JsonObject): string {
  return typeof mimeType === 'string' ? mimeType : 'of no known type';
}

function bytesOf(base64: JsonValue | undefined): number {
  return typeof base64 === 'string' ? Buffer.byteLength(base64, 'base64') : 0;
}
