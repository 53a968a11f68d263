/** The upstream of the projects' bench: answers at once. A task that says `rounds: 5` gets four tool calls first. */
import { createServer } from 'node:http';

const PLAN = JSON.stringify({
  summary: 'A plan',
  tasks: [
    { title: 'First', description: 'Begin', agent: 'bench', dependsOn: [], priority: 50, maxTokens: 100 },
  ],
});

function messageFor({ messages, tools }) {
  const text = messages.map(({ content }) => (typeof content === 'string' ? content : '')).join('\n');
  if (!tools) return { role: 'assistant', content: /rounds: \d/.test(text) ? 'Done.' : PLAN };
  const rounds = Number(/rounds: (\d+)/.exec(text)?.[1] ?? 1);
  const asked = messages.filter((message) => message.tool_calls?.length > 0).length;
  if (asked + 1 >= rounds) return { role: 'assistant', content: 'Done.' };
  const call = { name: 'current_time', arguments: '{}' };
  return {
    role: 'assistant',
    content: null,
    tool_calls: [{ id: `call_${asked}`, type: 'function', function: call }],
  };
}

function answerTo(body) {
  const message = messageFor(body);
  return JSON.stringify({
    id: 'chatcmpl-bench0003',
    object: 'chat.completion',
    created: 1790000000,
    model: 'gpt-4o-mini-2024-07-18',
    choices: [
      { index: 0, message, logprobs: null, finish_reason: message.tool_calls ? 'tool_calls' : 'stop' },
    ],
    usage: { prompt_tokens: 212, completion_tokens: 20, total_tokens: 232 },
  });
}

const server = createServer({ keepAliveTimeout: 0 }, (request, response) => {
  const parts = [];
  request.on('data', (part) => parts.push(part));
  request.on('end', () => {
    const answer = answerTo(JSON.parse(Buffer.concat(parts).toString('utf8')));
    response.writeHead(200, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(answer),
    });
    response.end(answer);
  });
});
server.listen(0, '127.0.0.1', () => process.stdout.write(`${server.address().port}\n`));
