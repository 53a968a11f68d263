import { playJson } from './play-json.mjs';
import { playStream } from './play-stream.mjs';

const OVERLOADED = {
  error: { message: 'The scripted provider failed', type: 'server_error', code: 'scripted' },
};

/** Performs one answer of a chat with its fault. */
export function play(wire, answer, behaviour, request) {
  const perform = request.isStream ? playStream : playJson;
  return playAround(wire, behaviour, request.isStream, () => perform(wire, answer, behaviour, request));
}

/** What comes in place of an answer or before it; `perform` gives the answer itself. */
export async function playAround(wire, behaviour, isStream, perform) {
  await wire.pause(behaviour.delayMs);
  const { fault } = behaviour;
  switch (fault?.kind) {
    case 'status':
      return reply(wire, fault.status, fault.body ?? errorOf(fault.status), {
        ...(fault.retryAfter === undefined ? {} : { 'retry-after': String(fault.retryAfter) }),
        ...fault.headers,
      });
    case 'error-body':
      return reply(wire, 200, fault.body ?? OVERLOADED);
    case 'content-type':
      return replyText(wire, fault.body ?? '<html>A proxy answers</html>', fault.contentType ?? 'text/html');
    case 'empty':
      wire.head(200, { 'content-type': isStream ? 'text/event-stream' : 'application/json' });
      return wire.finish('truncated');
    case 'cut':
    case 'stall':
      if (fault.afterChunks === undefined) return fault.kind === 'cut' ? wire.cut() : wire.closed();
  }
  return perform();
}

/** Faults that come instead of an answer: the provider charges nothing. */
export function isRejection(fault) {
  return ['status', 'error-body', 'content-type', 'empty'].includes(fault?.kind);
}

async function reply(wire, status, body, headers = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  wire.head(status, { 'content-type': 'application/json', ...headers });
  await wire.send(text);
  wire.finish('rejected');
}

async function replyText(wire, text, contentType) {
  wire.head(200, { 'content-type': contentType });
  await wire.send(text);
  wire.finish('rejected');
}

function errorOf(status) {
  return { error: { message: `Scripted status ${status}`, type: 'scripted', code: `scripted_${status}` } };
}
