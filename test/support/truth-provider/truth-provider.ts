import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Attempt, readAttempts } from './attempt';
import type { Script } from './script';

export { type Attempt, type AttemptOutcome, totalsOf } from './attempt';
export type { Behaviour, Fault, Script, ScriptedToolCall, ScriptedUsage } from './script';

const SERVER = path.join(__dirname, 'server', 'server.mjs');
const WAIT_LIMIT_MS = 10_000;

export interface TruthProviderOptions {
  /** What `GET /v1/models` lists. */
  readonly models?: readonly string[];
  readonly port?: number;
}

/** A mock provider in a process of its own whose log is the truth about every attempt, token and byte. */
export class TruthProvider {
  private child?: ChildProcess;
  private port: number;

  private constructor(
    private readonly folder: string,
    private readonly options: TruthProviderOptions,
  ) {
    this.port = options.port ?? 0;
    writeFileSync(this.logFile, '', { flag: 'a' });
  }

  static async start(options: TruthProviderOptions): Promise<TruthProvider> {
    const provider = new TruthProvider(mkdtempSync(path.join(os.tmpdir(), 'lattice-truth-')), options);
    await provider.spawn();
    return provider;
  }

  /** The OpenAI base URL, ending in /v1. Stays the same over a restart. */
  get url(): string {
    return `http://127.0.0.1:${this.port}/v1`;
  }

  get logFile(): string {
    return path.join(this.folder, 'truth.ndjson');
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Queues behaviours for coming requests, or stores named ones. */
  async script(...scripts: readonly Script[]): Promise<void> {
    await this.control('POST', scripts);
  }

  /** Forgets every script; the log stays. */
  async clearScripts(): Promise<void> {
    await this.control('DELETE');
  }

  /** Everything the log says so far, also after `kill`. */
  attempts(): Promise<readonly Attempt[]> {
    return Promise.resolve(readAttempts(this.logFile));
  }

  /** Waits until at least `count` attempts have come to their end, and returns all attempts. */
  async endedAttempts(count: number): Promise<readonly Attempt[]> {
    return this.waitFor((attempts) => attempts.filter(({ outcome }) => outcome !== 'open').length >= count);
  }

  /** Waits until the log satisfies the condition, such as "an attempt has sent two chunks". */
  async waitFor(condition: (attempts: readonly Attempt[]) => boolean): Promise<readonly Attempt[]> {
    const deadline = performance.now() + WAIT_LIMIT_MS;
    for (;;) {
      const attempts = readAttempts(this.logFile);
      if (condition(attempts)) return attempts;
      if (performance.now() > deadline)
        throw new Error(`The log never got there: ${JSON.stringify(attempts)}`);
      await delay(10);
    }
  }

  /** Ends the process the hard way; the log stays readable. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exit = once(child, 'exit');
    child.kill(signal);
    await exit;
  }

  /** Starts it again on the same port with the same log, without scripts. */
  async restart(): Promise<void> {
    await this.kill();
    await this.spawn();
  }

  /** Ends the process and removes its log. */
  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async spawn(): Promise<void> {
    const settings = { port: this.port, logFile: this.logFile, models: this.options.models };
    // The open pipe on its standard input tells the child that we live.
    const child = spawn(process.execPath, [SERVER, JSON.stringify(settings)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: {},
    });
    this.child = child;
    const ready = once(child.stdout, 'data') as Promise<[Buffer]>;
    const failed = once(child, 'exit').then(() => {
      throw new Error('The truth provider ended at its start');
    });
    const [line] = await Promise.race([ready, failed]);
    failed.catch(() => undefined);
    this.port = Number(line.toString());
    child.unref();
    for (const pipe of [child.stdin, child.stdout]) (pipe as unknown as { unref(): void }).unref();
  }

  private async control(method: 'POST' | 'DELETE', body?: unknown): Promise<void> {
    const response = await fetch(`http://127.0.0.1:${this.port}/__truth/scripts`, {
      method,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`The truth provider refused the script: ${await response.text()}`);
    await response.arrayBuffer();
  }
}

/** Starts a truth provider. It ends with `stop()`, or with the process that started it. */
export function startTruthProvider(options: TruthProviderOptions = {}): Promise<TruthProvider> {
  return TruthProvider.start(options);
}
