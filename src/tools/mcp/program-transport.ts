import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { within } from '../../common/index';
import { type McpProgramSettings, scriptEnvironment } from '../../config/index';
import { type JSONRPCMessage, stdioCodec, type Transport } from './mcp-sdk';

/** From the end of its input to the signal, and from that to the one that cannot be ignored. */
const GRACE_MS = 1000;
/** How long the rest of its output is waited for when it is gone. */
const DRAIN_MS = 500;
const MAX_ERROR_TEXT_BYTES = 8192;
/** Ends the group when its input ends, and that is when this process is gone, however it went. */
const WATCH = 'cat >/dev/null; sleep 1; kill -s KILL -- "-$1"';

/**
 * MCP over the standard streams of a program. The program gets a process group of its own, so that what it starts ends
 * with it, and a watcher that ends the group should this process be killed.
 */
export class ProgramTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Besides `onclose`, which is the library's: the program has ended, or could not be started. */
  onGone?: () => void;
  private child?: ChildProcessWithoutNullStreams;
  private watcher?: ChildProcess;
  private isGone = false;

  constructor(
    private readonly settings: McpProgramSettings,
    /** Told what it writes to standard error. */
    private readonly onErrorText: (text: string) => void,
  ) {}

  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** @throws Error with the system's code when it cannot be started */
  async start(): Promise<void> {
    const { command, env, cwd } = this.settings;
    const [program = '', ...args] = command;
    const options = { cwd, env: scriptEnvironment(env), detached: true, windowsHide: true } as const;
    const child = spawn(program, args, { ...options, stdio: 'pipe' });
    this.child = child;
    child.once('close', () => this.ended());
    child.once('exit', () => this.exited(child));
    child.on('error', (error) => this.onerror?.(error));
    child.once('error', () => this.onGone?.());
    this.read(child);
    await once(child, 'spawn');
    this.watch(child);
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const { child } = this;
    if (!child || this.isGone || !child.stdin.writable) throw new Error('The program is gone');
    if (!child.stdin.write(stdioCodec().serializeMessage(message))) {
      await Promise.race([once(child.stdin, 'drain'), once(child, 'close')]);
    }
  }

  /** Resolves when the whole group is gone. */
  async close(): Promise<void> {
    const { child } = this;
    if (!child || this.isGone) return;
    const gone = once(child, 'close').then(() => true);
    child.stdin.end();
    if (await within(GRACE_MS, gone)) return;
    this.signal('SIGTERM');
    if (await within(GRACE_MS, gone)) return;
    this.kill();
    await within(GRACE_MS, gone);
  }

  /** At once. */
  kill(): void {
    if (!this.isGone) this.signal('SIGKILL');
  }

  private read({ stdin, stdout, stderr }: ChildProcessWithoutNullStreams): void {
    const buffer = new (stdioCodec().ReadBuffer)();
    for (const stream of [stdin, stdout, stderr]) stream.on('error', () => undefined);
    stderr.on('data', (piece: Buffer) =>
      this.onErrorText(piece.subarray(0, MAX_ERROR_TEXT_BYTES).toString('utf8')),
    );
    stdout.on('data', (piece: Buffer) => {
      try {
        buffer.append(piece);
      } catch (error) {
        // A line without an end.
        this.onerror?.(error as Error);
        this.kill();
        return;
      }
      this.deliver(buffer);
    });
  }

  /** A line that is no message is told of; the next one may be. */
  private deliver(buffer: { readMessage(): JSONRPCMessage | null }): void {
    for (;;) {
      try {
        const message = buffer.readMessage();
        if (!message) return;
        this.onmessage?.(message);
      } catch (error) {
        this.onerror?.(error as Error);
      }
    }
  }

  private watch({ pid }: ChildProcess): void {
    if (process.platform === 'win32' || pid === undefined || this.isGone) return;
    const watcher = spawn('/bin/sh', ['-c', WATCH, 'watch', String(pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: scriptEnvironment([]),
      detached: true,
    });
    watcher.on('error', () => undefined);
    watcher.stdin?.on('error', () => undefined);
    watcher.unref();
    this.watcher = watcher;
  }

  private exited({ stdout, stderr }: ChildProcessWithoutNullStreams): void {
    // What it left running ends with it; something that left the group may hold the pipes.
    this.signal('SIGKILL');
    setTimeout(() => [stdout, stderr].forEach((stream) => stream.destroy()), DRAIN_MS).unref();
  }

  private ended(): void {
    if (this.isGone) return;
    this.isGone = true;
    // Before its group's number can belong to another one.
    this.signalGroup(this.watcher?.pid, 'SIGKILL');
    this.onclose?.();
    this.onGone?.();
  }

  private signal(name: NodeJS.Signals): void {
    if (process.platform === 'win32') this.child?.kill(name);
    else this.signalGroup(this.pid, name);
  }

  private signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
    if (pid === undefined) return;
    try {
      process.kill(-pid, name);
    } catch {
      // The group is gone already.
    }
  }
}
