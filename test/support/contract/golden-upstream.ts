import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { LLMock } from '@copilotkit/aimock';

/** One step of a byte-exact answer: text or bytes to write, or `CUT` or `STALL`, which happen to the connection. */
export type GoldenStep = string | Uint8Array;

/** A byte-exact HTTP answer, written from the provider's documentation. */
export interface GoldenAnswer {
  /** Default 200. */
  readonly status?: number;
  /** Default `content-type: application/json`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** CUT destroys the socket, STALL leaves it open without another byte; otherwise the answer ends. */
  readonly steps: readonly GoldenStep[];
  /** Written again and again behind the steps, until the client hangs up; at once when it was taken, if not said otherwise. */
  readonly endless?: { readonly text: string; readonly everyMs?: number };
}

/** What the upstream received. */
export interface ReceivedRequest {
  readonly method: string;
  /** Below the scenario's base URL, query included. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

/** aimock with golden answers mounted under `/g/<scenario>`; one port, requests of both recorded. */
export class GoldenUpstream {
  readonly mock = new LLMock({ port: 0, strict: true });
  readonly received: ReceivedRequest[] = [];
  /** Sockets that carried golden answers; a reused one is counted once. */
  readonly sockets = new Set<unknown>();
  private readonly answers = new Map<string, GoldenAnswer>();
  private readonly closings: (() => void)[] = [];
  private readonly arrivals: (() => void)[] = [];
  private closed = 0;

  async start(): Promise<this> {
    this.mock.mount('/g', { handleRequest: (request, response) => this.handle(request, response) });
    await this.mock.start();
    return this;
  }

  async stop(): Promise<void> {
    await this.mock.stop();
  }

  get url(): string {
    return this.mock.url;
  }

  /** Registers an answer and gives the base URL that serves it. */
  serve(scenario: string, answer: GoldenAnswer): string {
    this.answers.set(scenario, answer);
    return `${this.mock.url}/g/${scenario}`;
  }

  get last(): ReceivedRequest {
    const request = this.received.at(-1);
    if (!request) throw new Error('The upstream received nothing');
    return request;
  }

  /** Resolves once the client has closed the connection of an answer that had not ended. */
  async clientClosed(): Promise<void> {
    if (this.closed > 0) return;
    await new Promise<void>((resolve) => this.closings.push(resolve));
  }

  /** Resolves once a request has arrived. */
  async arrival(): Promise<void> {
    if (this.received.length > 0) return;
    await new Promise<void>((resolve) => this.arrivals.push(resolve));
  }

  reset(): void {
    this.received.length = 0;
    this.sockets.clear();
    this.closed = 0;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const [, , scenario = '', ...rest] = (request.url ?? '').split('/');
    const answer = this.answers.get(scenario);
    if (!answer) return false;
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    this.sockets.add(request.socket);
    this.received.push({
      method: request.method ?? '',
      path: `/${rest.join('/')}`,
      headers: request.headers,
      body: text ? (JSON.parse(text) as Record<string, unknown>) : {},
    });
    for (const resolve of this.arrivals.splice(0)) resolve();
    response.once('close', () => {
      if (response.writableFinished) return;
      this.closed += 1;
      for (const resolve of this.closings.splice(0)) resolve();
    });
    await play(answer, response);
    return true;
  }
}

async function play(answer: GoldenAnswer, response: ServerResponse): Promise<void> {
  response.writeHead(answer.status ?? 200, answer.headers ?? { 'content-type': 'application/json' });
  response.flushHeaders();
  for (const step of answer.steps) {
    if (step === 'STALL') return;
    if (step === 'CUT') {
      response.destroy();
      return;
    }
    // Each step leaves in a segment of its own, so that events really arrive in pieces.
    await new Promise<void>((resolve) => {
      response.write(step, () => setImmediate(resolve));
    });
  }
  if (answer.endless) await goOn(answer.endless, response);
  else response.end();
}

async function goOn(
  { text, everyMs }: NonNullable<GoldenAnswer['endless']>,
  response: ServerResponse,
): Promise<void> {
  // A client that hangs up in the middle of a write is no failure.
  response.on('error', () => undefined);
  const closed = new Promise((resolve) => response.once('close', resolve));
  while (!response.destroyed) {
    const written = new Promise((resolve) => response.write(text, resolve));
    await Promise.race([closed, everyMs === undefined ? written : delay(everyMs)]);
  }
}
