#!/usr/bin/env node
/**
 * A command for scripts.yaml: calls an endpoint of OpenAI's dialect and speaks Lattice's script protocol, version 1 (see
 * docs/scripts.md). Needs OPENAI_API_KEY, and OPENAI_BASE_URL for another address; both must stand under `env`.
 */
import { text } from 'node:stream/consumers';

const PATHS = { chat: 'chat/completions', embedding: 'embeddings' };
const { OPENAI_API_KEY: key, OPENAI_BASE_URL: base = 'https://api.openai.com/v1' } = process.env;

/** One JSON object on a line; waits when nobody reads. */
function write(object) {
  return new Promise((resolve) => process.stdout.write(`${JSON.stringify(object)}\n`, resolve));
}

async function main() {
  const { version, kind, request, requestId, stream } = JSON.parse(await text(process.stdin));
  if (version !== 1 || !PATHS[kind]) {
    return write({
      error: { code: 'invalid_request', message: `This script does not do ${kind}`, billed: false },
    });
  }
  if (!key)
    return write({ error: { code: 'rejected', message: 'OPENAI_API_KEY is not set', billed: false } });
  const response = await fetch(`${base}/${PATHS[kind]}`, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${key}`,
      'x-request-id': requestId,
    },
    body: JSON.stringify(request),
  });
  if (!response.ok) {
    const { error } = await response.json().catch(() => ({}));
    return write({ error: { code: response.status, message: error?.message, billed: false } });
  }
  if (!stream) return write(await response.json());
  return relay(response.body);
}

/** Server-sent events in, one chunk a line out. */
async function relay(body) {
  let rest = '';
  for await (const piece of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: {')) await write(JSON.parse(line.slice('data: '.length)));
    }
  }
}

await main();
