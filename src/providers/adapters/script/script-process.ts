import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { scriptEnvironment, type ScriptSettings } from '../../../config/index';

/** How long the rest of standard error is waited for when the process is gone. */
const ERROR_DRAIN_MS = 500;

/** Why a process was ended from here. */
export type StopReason = 'silent' | 'overdue' | 'output' | 'aborted' | 'shutdown' | 'left';

/** How a process ended. `code` is null when a signal did it. */
export interface ScriptEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** It could not be started; a code such as ENOENT. */
  readonly startFailure?: string;
}

export interface ScriptInput {
  readonly settings: ScriptSettings;
  readonly text: string;
  readonly signal: AbortSignal;
  /** From the polite signal to the one that cannot be ignored. */
  readonly graceMs: number;
}

/**
 * One run of a command, in a process group of its own so that what it starts ends with it. Its output is read no faster
 * than somebody takes it. Ends by itself, at its limits, or by `stop`; the whole group is gone by then.
 */
export class ScriptProcess {
  /** Resolves when the process is gone and its streams are closed. Never rejects. */
  readonly ended: Promise<ScriptEnd>;
  /** Resolves when it has ended or is being stopped: what it still does then changes nothing. */
  readonly over: Promise<ScriptEnd>;
  /** Resolves when the process is gone, read or not. */
  readonly exited: Promise<void>;
  #stopReason?: StopReason;
  #isGone = false;
  #errorText: Buffer[] = [];
  #errorBytes = 0;
  #killTimer?: NodeJS.Timeout;
  #drainTimer?: NodeJS.Timeout;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => this.stop('aborted');
  #onExited = (): void => undefined;
  #onEnded = (_end: ScriptEnd): void => undefined;
  #onStop = (_end: ScriptEnd): void => undefined;
  readonly #child: ChildProcessWithoutNullStreams;

  /** @throws what `spawn` throws for arguments that no process can get. */
  constructor(private readonly input: ScriptInput) {
    const { command, cwd, env, timeoutMs, maxErrorBytes } = input.settings;
    const [program = '', ...args] = command;
    const child = spawn(program, args, {
      cwd,
      env: scriptEnvironment(env),
      stdio: 'pipe',
      detached: true,
      windowsHide: true,
    });
    this.#child = child;
    this.exited = new Promise((resolve) => (this.#onExited = resolve));
    this.ended = new Promise((resolve) => (this.#onEnded = resolve));
    this.over = Promise.race([this.ended, new Promise<ScriptEnd>((resolve) => (this.#onStop = resolve))]);
    this.#timer = setTimeout(() => this.stop('overdue'), timeoutMs);
    input.signal.addEventListener('abort', this.#onAbort, { once: true });
    this.#watch(child);
    this.#connect(child, maxErrorBytes);
  }

  get stopReason(): StopReason | undefined {
    return this.#stopReason;
  }

  /** What it wrote to standard error, as far as that is kept. */
  get errorText(): string {
    return Buffer.concat(this.#errorText).toString('utf8');
  }

  /** Standard output as it comes, up to the limit; ends early when the process is stopped. */
  async *output(): AsyncGenerator<Buffer> {
    let bytes = 0;
    try {
      for await (const piece of this.#child.stdout as AsyncIterable<Buffer>) {
        bytes += piece.length;
        if (bytes > this.input.settings.maxOutputBytes) {
          this.stop('output');
          return;
        }
        yield piece;
      }
    } catch {
      // A broken pipe ends what can be read; the end of the process says why.
    }
  }

  /** Ends the whole group, politely first. Only the first reason counts. */
  stop(reason: StopReason): void {
    if (this.#stopReason !== undefined || (this.#isGone && this.#child.stdout.destroyed)) return;
    this.#stopReason = reason;
    if (!this.#isGone) {
      this.#signal('SIGTERM');
      this.#killTimer = setTimeout(() => this.kill(), this.input.graceMs);
    }
    this.#child.stdout.destroy();
    this.#child.stdin.destroy();
    this.#onStop({ code: null, signal: null });
  }

  /** At once. */
  kill(): void {
    if (!this.#isGone) this.#signal('SIGKILL');
  }

  #watch(child: ChildProcess): void {
    child.once('error', (error: NodeJS.ErrnoException) => {
      if (child.pid === undefined)
        this.#end({ code: null, signal: null, startFailure: error.code ?? error.name });
    });
    child.once('exit', () => {
      // What it left running ends with it.
      this.#signal('SIGKILL');
      this.#isGone = true;
      clearTimeout(this.#killTimer);
      // Something that left the group may hold the pipes. Nobody waits for its errors; its output has until the timeout.
      this.#drainTimer = setTimeout(() => child.stderr?.destroy(), ERROR_DRAIN_MS);
      this.#onExited();
    });
    child.once('close', (code, signal) => this.#end({ code, signal }));
  }

  #connect({ stdin, stdout, stderr }: ChildProcessWithoutNullStreams, maxErrorBytes: number): void {
    stdout.on('error', () => undefined);
    stderr.on('error', () => undefined);
    stderr.on('data', (piece: Buffer) => this.#keepError(piece, maxErrorBytes));
    // A script that does not read its request breaks the pipe; how it ends says enough.
    stdin.on('error', () => undefined);
    stdin.end(this.input.text);
  }

  #end(result: ScriptEnd): void {
    this.#isGone = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#drainTimer);
    this.input.signal.removeEventListener('abort', this.#onAbort);
    this.#onExited();
    this.#onEnded(result);
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // The group is gone already.
    }
  }

  #keepError(piece: Buffer, limit: number): void {
    const room = limit - this.#errorBytes;
    if (room <= 0) return;
    const kept = piece.subarray(0, room);
    this.#errorText.push(kept);
    this.#errorBytes += kept.length;
  }
}
