import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { listen } from '../listen';

/** What became of a prompt; `stuck`: it is drawn for ever. */
export type Drawing = 'image' | 'stuck' | 'fails' | 'nothing' | 'text';

interface Prompt {
  readonly id: string;
  readonly workflow: Record<string, unknown>;
  state: 'pending' | 'running' | 'done' | 'interrupted';
  polls: number;
}

/** A PNG's beginning, and a little more. */
export const IMAGE = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(2000, 7)]);

/**
 * ComfyUI as its clients see it: one queue, one drawing at a time, each done after a few polls. Written from its API, and
 * shares no code with the client under test.
 */
export class ComfyUiSimulator {
  readonly prompts: Prompt[] = [];
  readonly interrupts: unknown[] = [];
  /** Of every request that came, `GET /queue`. */
  readonly requests: string[] = [];
  drawing: Drawing = 'image';
  pollsNeeded = 2;
  isWell = true;
  /** Of the questions that come next, how many are not answered. */
  unansweredPolls = 0;
  /** Old versions give ids of their own. */
  takesIds = true;
  private readonly server: Server;

  private constructor() {
    this.server = createServer((request, response) => void this.answer(request, response));
  }

  static async start(): Promise<ComfyUiSimulator & { readonly url: string }> {
    const simulator = new ComfyUiSimulator();
    return Object.assign(simulator, { url: `http://127.0.0.1:${await listen(simulator.server)}` });
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://simulator');
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    const body = (text ? JSON.parse(text) : {}) as Record<string, unknown>;
    this.requests.push(`${request.method} ${url.pathname}`);
    const send = (status: number, answer?: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(answer === undefined ? '' : JSON.stringify(answer));
    };
    const [, first, second] = url.pathname.split('/');
    switch (`${request.method} ${first}`) {
      case 'GET system_stats':
        return this.isWell ? send(200, { system: { comfyui_version: '0.3.60' }, devices: [] }) : send(500);
      case 'POST prompt':
        return this.submit(body, send);
      case 'GET history':
        this.unansweredPolls -= 1;
        return this.unansweredPolls >= 0 ? send(502) : send(200, this.historyOf(second ?? ''));
      case 'GET view':
        response.end(this.drawing === 'text' ? 'no image at all' : IMAGE);
        return;
      case 'GET queue': {
        const entries = (state: string) =>
          this.prompts
            .filter((prompt) => prompt.state === state)
            .map((prompt, at) => [at, prompt.id, prompt.workflow, {}, []]);
        return send(200, { queue_running: entries('running'), queue_pending: entries('pending') });
      }
      case 'POST queue': {
        const gone = (body.delete ?? []) as string[];
        for (const prompt of this.prompts) {
          if (prompt.state === 'pending' && gone.includes(prompt.id)) prompt.state = 'interrupted';
        }
        return send(200);
      }
      case 'POST interrupt':
        this.interrupts.push(body.prompt_id);
        for (const prompt of this.prompts) {
          if (prompt.state === 'running' && prompt.id === body.prompt_id) prompt.state = 'interrupted';
        }
        return send(200);
      default:
        return send(404);
    }
  }

  private submit(body: Record<string, unknown>, send: (status: number, answer: unknown) => void): void {
    const workflow = body.prompt as Record<string, { class_type?: string; inputs?: Record<string, unknown> }>;
    const checkpoint = Object.values(workflow).find((node) => node.class_type === 'CheckpointLoaderSimple');
    if (checkpoint?.inputs?.ckpt_name === 'missing.safetensors') {
      const errors = [{ type: 'value_not_in_list', details: "ckpt_name: 'missing.safetensors' not in []" }];
      return send(400, {
        error: {
          type: 'prompt_outputs_failed_validation',
          message: 'Prompt outputs failed validation',
          details: '',
        },
        node_errors: { '4': { errors, class_type: 'CheckpointLoaderSimple' } },
      });
    }
    const id =
      this.takesIds && typeof body.prompt_id === 'string' ? body.prompt_id : `own-${this.prompts.length}`;
    const isBusy = this.prompts.some(({ state }) => state === 'running');
    this.prompts.push({ id, workflow, state: isBusy ? 'pending' : 'running', polls: 0 });
    send(200, { prompt_id: id, number: this.prompts.length, node_errors: {} });
  }

  private historyOf(id: string): Record<string, unknown> {
    const prompt = this.prompts.find((other) => other.id === id);
    if (!prompt) return {};
    prompt.polls += 1;
    const isReady = prompt.state === 'running' && this.drawing !== 'stuck' && prompt.polls > this.pollsNeeded;
    if (isReady) prompt.state = 'done';
    if (prompt.state === 'interrupted')
      return { [id]: ended('error', [['execution_interrupted', { prompt_id: id }]]) };
    if (prompt.state !== 'done') return {};
    if (this.drawing === 'fails') {
      const data = { node_type: 'KSampler', exception_message: 'CUDA out of memory' };
      return {
        [id]: ended('error', [
          ['execution_start', {}],
          ['execution_error', data],
        ]),
      };
    }
    const preview = { filename: 'preview.png', subfolder: '', type: 'temp' };
    const kept = { filename: 'lattice_00001_.png', subfolder: 'a b', type: 'output' };
    const images = this.drawing === 'nothing' ? {} : { '8': { images: [preview] }, '9': { images: [kept] } };
    return { [id]: { ...ended('success', []), outputs: images } };
  }
}

function ended(status: string, messages: unknown[]): Record<string, unknown> {
  return { status: { status_str: status, completed: status === 'success', messages }, outputs: {} };
}
