/**
 * The floor: fastify parses the body, undici forwards it, the answer is parsed once for its usage; a stream is piped as
 * it comes. No auth, no books.
 */
import fastify from 'fastify';
import { Pool } from 'undici';

const pool = new Pool(process.argv[2], { connections: 256 });
const app = fastify();
let tokens = 0;
app.post('/v1/chat/completions', async (request, reply) => {
  const { statusCode, body } = await pool.request({
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer x' },
    body: JSON.stringify(request.body),
  });
  if (request.body.stream) return reply.header('content-type', 'text/event-stream').send(body);
  const answer = await body.json();
  tokens += answer.usage.total_tokens;
  reply.code(statusCode).send(answer);
});
await app.listen({ host: '127.0.0.1', port: 0 });
process.stdout.write(`${app.server.address().port}\n`);
