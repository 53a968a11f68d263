import { once } from 'node:events';
import { WebSocket } from 'undici';

/** For the environment of a service process: lets its memory be asked for. */
export const MEASURED: NodeJS.ProcessEnv = { NODE_OPTIONS: '--inspect=127.0.0.1:0' };

const BYTES_PER_MEGABYTE = 1_048_576;
const SUM = '(({ heapUsed, external }) => heapUsed + external)(process.memoryUsage())';

interface Reply {
  readonly id?: number;
  readonly result?: { readonly result?: { readonly value?: number } };
}

/**
 * What a process still needs when its garbage is collected, asked over its debugger. Its resident memory says less: the
 * collector leaves garbage for later as long as it likes.
 */
export class LiveMemory {
  private last = 0;

  private constructor(private readonly socket: WebSocket) {}

  /** @param output what the process has printed, started with `MEASURED` */
  static async of(output: string): Promise<LiveMemory> {
    const [, address] = /Debugger listening on (ws:\S+)/.exec(output) ?? [];
    if (!address) throw new Error('The process was not started to be measured');
    const socket = new WebSocket(address);
    await once(socket as unknown as EventTarget, 'open');
    return new LiveMemory(socket);
  }

  async megabytes(): Promise<number> {
    await this.ask('HeapProfiler.collectGarbage');
    const { result } = await this.ask('Runtime.evaluate', { expression: SUM, returnByValue: true });
    return (result?.result?.value ?? Number.NaN) / BYTES_PER_MEGABYTE;
  }

  close(): void {
    this.socket.close();
  }

  private async ask(method: string, params: object = {}): Promise<Reply> {
    const id = ++this.last;
    const replied = new Promise<Reply>((resolve) => {
      const hear = ({ data }: { readonly data: unknown }): void => {
        const reply = JSON.parse(String(data)) as Reply;
        if (reply.id !== id) return;
        this.socket.removeEventListener('message', hear);
        resolve(reply);
      };
      this.socket.addEventListener('message', hear);
    });
    this.socket.send(JSON.stringify({ id, method, params }));
    return await replied;
  }
}
