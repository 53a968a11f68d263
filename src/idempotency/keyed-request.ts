/** What an `Idempotency-Key` stands for: whose it is, and a digest of everything that decides the answer. */
import { createHash, createHmac } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyRequest } from 'fastify';
import type { KeyRing, RingKey } from '../config/index';
import { ValidationError } from '../errors/index';

/** A digest of the request under one of the secret keys. */
export interface Fingerprint {
  /** Which key, as the key ring names it. */
  readonly keyId: string;
  readonly digest: Buffer;
}

export interface KeyedRequest {
  /** A user's UUID, or `address:<ip>` on public routes. */
  readonly owner: string;
  readonly key: string;
  readonly isPublic: boolean;
  /** With the current secret key first, then with previous ones. */
  readonly fingerprints: readonly [Fingerprint, ...Fingerprint[]];
}

const HEADER = 'idempotency-key';
const FINGERPRINT_PURPOSE = 'idempotency-fingerprint';
const KEY = /^[\x21-\x7e]{1,255}$/;
/** Headers that change an answer. What clients say of themselves (`x-stainless-*`) differs from try to try. */
const DECISIVE_HEADER = /^(x-lattice-|anthropic-)/;
const KEYED_PATH = /^\/(api\/)?v1\//;

export function isKeyedPath(path: string): boolean {
  return KEYED_PATH.test(path);
}

/**
 * Undefined when the request carries no key or is none that takes one.
 * @throws ValidationError about the key, or about a body too deeply nested to be read again.
 */
export function keyedRequest(request: FastifyRequest, keys: KeyRing): KeyedRequest | undefined {
  const key = request.headers[HEADER];
  if (key === undefined || request.method !== 'POST' || !isKeyedPath(request.url)) return undefined;
  if (typeof key !== 'string' || !KEY.test(key)) {
    throw new ValidationError(
      'Idempotency-Key must be 1 to 255 visible ASCII characters without spaces, such as a UUID',
      { param: 'Idempotency-Key' },
    );
  }
  const { principal } = request.lattice;
  const digest = requestDigest(request);
  return {
    owner: principal ? principal.userId : `address:${request.ip}`,
    key,
    isPublic: principal === undefined,
    fingerprints: [
      fingerprint(keys.current(FINGERPRINT_PURPOSE), digest),
      ...keys
        .all(FINGERPRINT_PURPOSE)
        .slice(1)
        .map((ring) => fingerprint(ring, digest)),
    ],
  };
}

function fingerprint({ id, key }: RingKey, digest: Buffer): Fingerprint {
  return { keyId: id, digest: createHmac('sha256', key).update(digest).digest() };
}

function requestDigest(request: FastifyRequest): Buffer {
  const hash = createHash('sha256');
  const { scopes, allowedModels } = request.lattice.principal ?? {};
  // What a credential may not do itself it must not get by repeating what a wider one has done.
  const reach = [scopes ?? null, allowedModels ?? null];
  hash.update(JSON.stringify([request.method, request.url, decisiveHeaders(request.headers), reach]));
  return hash.update('\n').update(bodyBytes(request.body)).digest();
}

function decisiveHeaders(headers: IncomingHttpHeaders): readonly unknown[] {
  return Object.keys(headers)
    .filter((name) => DECISIVE_HEADER.test(name))
    .toSorted()
    .map((name) => [name, headers[name]]);
}

/** As it was understood: white space between its parts does not count. */
function bodyBytes(body: unknown): Buffer | string {
  if (body === undefined) return '';
  if (Buffer.isBuffer(body)) return body;
  try {
    return JSON.stringify(body);
  } catch (cause) {
    throw new ValidationError('The body is nested too deeply to be sent with an Idempotency-Key', { cause });
  }
}
