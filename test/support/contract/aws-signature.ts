/** The server's half of AWS Signature Version 4: what the signature of a received request has to be. */
import { createHash, createHmac } from 'node:crypto';
import type { ReceivedRequest } from './golden-upstream';

const FORM = /^AWS4-HMAC-SHA256 Credential=[^/]+\/([^,]+), SignedHeaders=([^,]+), Signature=(\w+)$/;

export interface SignatureCheck {
  readonly stated: string;
  readonly computed: string;
}

/** @param prefix the path before `request.path`, which stands below a scenario's base URL. */
export function checkSignature(request: ReceivedRequest, prefix: string, secret: string): SignatureCheck {
  const [, scope = '', names = '', stated = ''] = FORM.exec(request.headers.authorization ?? '') ?? [];
  const [path = '', query = ''] = `${prefix}${request.path}`.split('?');
  const body = request.method === 'POST' ? JSON.stringify(request.body) : '';
  const canonical = [
    request.method,
    path.split('/').map(encodeURIComponent).join('/'),
    query.split('&').sort().join('&'),
    ...names.split(';').map((name) => `${name}:${String(request.headers[name])}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const text = ['AWS4-HMAC-SHA256', request.headers['x-amz-date'], scope, sha256(canonical)].join('\n');
  const key = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secret}`));
  return { stated, computed: hmac(key, text).toString('hex') };
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
