/** The least that a command of scripts.yaml can do: pass the request to the upstream and its answer back. */
import { request } from 'node:http';

const parts = [];
for await (const part of process.stdin) parts.push(part);
const { request: body } = JSON.parse(Buffer.concat(parts).toString('utf8'));
const call = request(
  `${process.env.BENCH_UPSTREAM}/chat/completions`,
  { method: 'POST', headers: { 'content-type': 'application/json' } },
  (response) => response.pipe(process.stdout),
);
call.end(JSON.stringify(body));
