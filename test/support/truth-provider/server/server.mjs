/** The truth provider's process: an HTTP server on 127.0.0.1 that ends when its standard input closes. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import { composeAnswer } from './answer.mjs';
import { countInputTokens, playVectors } from './embed.mjs';
import { isRejection, play } from './play.mjs';
import { chatOf, ResponsesEvents, thoughtsRefusal, toolsRefusal } from './responses.mjs';
import { Scripts } from './scripts.mjs';
import { TruthLog } from './truth-log.mjs';
import { Wire } from './wire.mjs';

const { port, logFile, models = ['truth-model'] } = JSON.parse(process.argv[2]);
const log = new TruthLog(logFile);
const scripts = new Scripts();
let attempts = 0;

const routes = {
  'POST /v1/chat/completions': complete,
  'POST /v1/responses': respond,
  'POST /v1/embeddings': embed,
  'GET /v1/models': (_, response) =>
    json(response, 200, {
      object: 'list',
      data: models.map((id) => ({ id, object: 'model', created: 0, owned_by: 'truth' })),
    }),
  'POST /__truth/scripts': (_, response, text) => {
    for (const script of [JSON.parse(text)].flat()) scripts.add(script);
    json(response, 200, {});
  },
  'DELETE /__truth/scripts': (_, response) => {
    scripts.clear();
    json(response, 200, {});
  },
};

const server = createServer((request, response) => void serve(request, response));

async function serve(request, response) {
  const text = await bodyOf(request).catch(() => undefined);
  const route = routeOf(request);
  if (text === undefined) return;
  if (!route)
    return json(response, 404, { error: { message: 'No such route', type: 'invalid_request_error' } });
  try {
    await route(request, response, text);
  } catch (error) {
    if (response.headersSent) response.destroy();
    else json(response, 400, { error: { message: String(error.message), type: 'invalid_request_error' } });
  }
}

async function complete(request, response, text) {
  const body = JSON.parse(text);
  await answerChat({ request, response, text }, body, toolsRefusal(body));
}

async function respond(request, response, text) {
  const body = JSON.parse(text);
  await answerChat({ request, response, text }, chatOf(body), thoughtsRefusal(body), body);
}

/** `responses` is the body of the Responses API that the chat stands for, if it does. */
async function answerChat({ request, response, text }, chat, refused, responses) {
  attempts += 1;
  const id = `${process.pid}-${attempts}`;
  const behaviour = refused ?? scripts.choose(request, chat);
  const answer = composeAnswer(id, chat, behaviour);
  const isCharged = !isRejection(behaviour.fault);
  const isStream = chat.stream === true;
  log.write({
    type: 'attempt',
    id,
    at: Date.now(),
    requestId: request.headers['x-request-id'],
    headers: request.headers,
    path: request.url,
    model: chat.model,
    isStream,
    bodySha256: createHash('sha256').update(text).digest('hex'),
    body: responses ?? chat,
    promptTokens: isCharged ? answer.truth.promptTokens : 0,
    cachedTokens: isCharged ? answer.truth.cachedTokens : 0,
  });
  const facts = {
    id,
    model: chat.model,
    createdAt: Math.floor(Date.now() / 1000),
    isStream,
    includesUsage: chat.stream_options?.include_usage === true,
    isResponse: responses !== undefined,
    hasThoughts: responses?.include?.includes('reasoning.encrypted_content') === true,
  };
  const events = responses && new ResponsesEvents(answer, facts);
  await play(new Wire(response, log, id), answer, behaviour, { ...facts, events });
}

async function embed(request, response, text) {
  attempts += 1;
  const id = `${process.pid}-${attempts}`;
  const body = JSON.parse(text);
  const behaviour = scripts.choose(request, body);
  const truth = behaviour.usage?.promptTokens ?? countInputTokens(body);
  const promptTokens = isRejection(behaviour.fault) ? 0 : truth;
  log.write({
    type: 'attempt',
    id,
    at: Date.now(),
    requestId: request.headers['x-request-id'],
    headers: request.headers,
    model: body.model,
    isStream: false,
    bodySha256: createHash('sha256').update(text).digest('hex'),
    body,
    promptTokens,
    cachedTokens: 0,
  });
  await playVectors(new Wire(response, log, id), body, behaviour, promptTokens);
}

const CALLS = ['/chat/completions', '/responses', '/embeddings'];

/** Azure and others put a deployment before the same call. */
function routeOf({ method, url }) {
  const [path] = url.split('?');
  const call = CALLS.find((known) => path.endsWith(known));
  return routes[`${method} ${call ? `/v1${call}` : path}`];
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts).toString('utf8');
}

function json(response, status, value) {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

process.stdin.resume().on('close', () => process.exit(0));
server.listen(port, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
