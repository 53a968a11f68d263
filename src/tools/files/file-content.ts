/** Bytes of files as models read and write them. Pure. */

export type ContentEncoding = 'utf8' | 'base64';

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** @throws Error when the text is not what its encoding says */
export function fromContent(content: string, encoding: ContentEncoding = 'utf8'): Buffer {
  if (encoding === 'utf8') return Buffer.from(content);
  const digits = content.replaceAll(/\s/g, '');
  if (digits.length % 4 !== 0 || !BASE64.test(digits)) throw new Error('content is not base64');
  return Buffer.from(digits, 'base64');
}

/** The whole characters; one that is cut at the end belongs to the next part. @throws Error when it is no text */
export function textOf(bytes: Buffer, isEnd: boolean): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes, { stream: !isEnd });
  } catch {
    throw new Error('The file holds no text there; read it with encoding base64');
  }
}
