import type { OpenAPIObject } from '@nestjs/swagger';
import { isKeyedPath } from './keyed-request';

type Parameter = NonNullable<OpenAPIObject['paths'][string]['parameters']>[number];

const HEADER: Parameter = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  description:
    'Makes it safe to send the request again: the same key with the same request gets the stored answer (24 hours, per ' +
    'user), and nothing is done or paid twice. Another request under the key is 409. 1 to 255 visible ASCII characters.',
  schema: { type: 'string', minLength: 1, maxLength: 255 },
};

/** Adds the header to every route that takes it. */
export function describeIdempotencyKey(document: OpenAPIObject): OpenAPIObject {
  for (const [path, { post }] of Object.entries(document.paths)) {
    if (post && isKeyedPath(path)) post.parameters = [...(post.parameters ?? []), HEADER];
  }
  return document;
}
