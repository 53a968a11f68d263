import { createServer, type IncomingMessage } from 'node:http';
import { listen } from '../listen';

export interface OllamaCall {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Record<string, unknown>;
}

export interface OllamaSimulator {
  /** As OLLAMA_BASE_URL takes it. */
  readonly url: string;
  /** Chats and embeddings, in the order they came. */
  readonly calls: readonly OllamaCall[];
  stop(): Promise<void>;
}

/** A local server with a chat model `tiny` and an embedding model `vectors`, as Ollama serves them under /v1 and /api/show. */
export async function startOllama(): Promise<OllamaSimulator> {
  const calls: OllamaCall[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>;
      const path = request.url ?? '';
      const found = answers[path]?.(body);
      if (found?.isCall) calls.push({ path, headers: request.headers, body });
      response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
      response.end(JSON.stringify(found?.answer ?? { error: 'not found' }));
    });
  });
  return {
    url: `http://127.0.0.1:${await listen(server)}`,
    calls,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Found {
  readonly answer: unknown;
  readonly isCall?: boolean;
}

const answers: Readonly<Record<string, (body: Record<string, unknown>) => Found>> = {
  '/v1/models': () => ({
    answer: { object: 'list', data: ['tiny:1b', 'vectors:latest'].map((id) => ({ id, object: 'model' })) },
  }),
  '/api/show': ({ model }) => ({
    answer: { capabilities: [model === 'vectors:latest' ? 'embedding' : 'completion'], model_info: {} },
  }),
  '/v1/chat/completions': ({ model }) => ({
    isCall: true,
    answer: {
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1,
      model,
      choices: [
        { index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'A fox is an animal.' } },
      ],
      usage: { prompt_tokens: 12, completion_tokens: 6, total_tokens: 18 },
    },
  }),
  '/v1/embeddings': ({ model }) => ({
    isCall: true,
    answer: {
      object: 'list',
      model,
      data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5, 1] }],
      usage: { prompt_tokens: 3, total_tokens: 3 },
    },
  }),
};
