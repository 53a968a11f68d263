/** A fixed 1 KB chat completion, and a stream of 64 deltas 20 ms apart: the upstream of every target. */
import { createServer } from 'node:http';

const text =
  'Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore. '.repeat(
    5,
  );
const answer = Buffer.from(
  JSON.stringify({
    id: 'chatcmpl-bench0001',
    object: 'chat.completion',
    created: 1790000000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text, refusal: null },
        logprobs: null,
        finish_reason: 'stop',
      },
    ],
    usage: {
      prompt_tokens: 212,
      completion_tokens: 97,
      total_tokens: 309,
      prompt_tokens_details: { cached_tokens: 0 },
      completion_tokens_details: { reasoning_tokens: 0 },
    },
    service_tier: 'default',
  }),
);
const DELTAS = 64;
const GAP_MS = 20;

const event = (choices, more = {}) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-bench0002', object: 'chat.completion.chunk', created: 1790000000, model: 'gpt-4o-mini', choices, ...more })}\n\n`;

function stream(response) {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    if (sent < DELTAS)
      return void response.write(
        event([{ index: 0, delta: { content: ` word${sent++}` }, finish_reason: null }]),
      );
    clearInterval(timer);
    response.write(event([{ index: 0, delta: {}, finish_reason: 'stop' }]));
    response.end(
      `${event([], { usage: { prompt_tokens: 212, completion_tokens: DELTAS, total_tokens: 212 + DELTAS } })}data: [DONE]\n\n`,
    );
  }, GAP_MS);
  response.on('close', () => clearInterval(timer));
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    if (Buffer.concat(parts).includes('"stream":true')) return stream(response);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
