/** AWS Signature Version 4; the library signs nothing but its own POSTs. */
import { createHash, createHmac } from 'node:crypto';
import type { AwsKeys } from '../../../config/index';

const ALGORITHM = 'AWS4-HMAC-SHA256';

/** The headers that sign a GET of `url`; `host` is signed too and sent by the client. */
export function signedGetHeaders(
  url: URL,
  service: string,
  credentials: AwsKeys,
  now = new Date(),
): Record<string, string> {
  return signed({ method: 'GET', url, body: '' }, service, credentials, now);
}

/** The headers that sign a POST of this body to `url`. */
export function signedPostHeaders(
  url: URL,
  body: string,
  service: string,
  credentials: AwsKeys,
): Record<string, string> {
  return signed({ method: 'POST', url, body }, service, credentials, new Date());
}

interface Signable {
  readonly method: 'GET' | 'POST';
  readonly url: URL;
  readonly body: string;
}

function signed(
  { method, url, body }: Signable,
  service: string,
  credentials: AwsKeys,
  now: Date,
): Record<string, string> {
  const timestamp = now.toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const { accessKeyId, sessionToken, region } = credentials;
  const headers: Record<string, string> = {
    'x-amz-date': timestamp,
    ...(sessionToken && { 'x-amz-security-token': sessionToken }),
  };
  const covered = { host: url.host, ...headers };
  const names = Object.keys(covered).join(';');
  const request = [
    method,
    url.pathname.split('/').map(encode).join('/'),
    canonicalQuery(url),
    ...Object.entries(covered).map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(body),
  ].join('\n');
  const scope = `${timestamp.slice(0, 8)}/${region}/${service}/aws4_request`;
  const text = [ALGORITHM, timestamp, scope, sha256(request)].join('\n');
  const signature = hmac(signingKey(scope, credentials), text).toString('hex');
  return {
    ...headers,
    authorization: `${ALGORITHM} Credential=${accessKeyId}/${scope}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

function signingKey(scope: string, { secretAccessKey }: AwsKeys): Buffer {
  return scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${secretAccessKey}`));
}

function canonicalQuery({ searchParams }: URL): string {
  const pairs = [...searchParams].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort().join('&');
}

/** RFC 3986, which AWS applies once more to a path that is encoded already. */
function encode(text: string): string {
  return encodeURIComponent(text).replaceAll(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
