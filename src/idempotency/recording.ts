import type { AnswerHeaders, AnswerRecorder } from '../observability/index';
import { isKept, keptHeaders, type StoredAnswer } from './stored-answer';

export interface RecordingOptions {
  readonly maxBytes: number;
  readonly isPublic: boolean;
  /** Called once, when it is decided whether there is an answer to keep. */
  readonly settle: (answer: StoredAnswer | undefined) => Promise<void>;
  /** Called once, when a stream has become longer than can be kept: it is worth its client only. */
  readonly onTooLong: () => void;
}

/** Takes down one answer, whole or frame by frame. */
export class Recording implements AnswerRecorder {
  private readonly frames: string[] = [];
  private bytes = 0;
  private status = 0;
  private headers: Record<string, string> = {};
  private settling?: Promise<void>;

  constructor(private readonly options: RecordingOptions) {}

  /** It is decided what becomes of the answer. */
  get isSettling(): boolean {
    return this.settling !== undefined;
  }

  private get isTooLong(): boolean {
    return this.bytes > this.options.maxBytes;
  }

  /** Somebody reports the answer. */
  get hasBegun(): boolean {
    return this.status > 0;
  }

  begin(status: number, headers: AnswerHeaders): void {
    this.status = status;
    this.headers = keptHeaders(headers);
  }

  write(frame: string): void {
    if (this.isTooLong) return;
    this.bytes += Buffer.byteLength(frame);
    this.frames.push(frame);
    if (!this.isTooLong) return;
    this.frames.length = 0;
    this.options.onTooLong();
  }

  async end(): Promise<void> {
    await this.settleWith(Buffer.from(this.frames.join('')));
  }

  async fail(): Promise<void> {
    await this.settleOnce(undefined);
  }

  async answer(status: number, headers: AnswerHeaders, payload: unknown): Promise<void> {
    this.begin(status, headers);
    if (payload === undefined || payload === null) return await this.settleWith(Buffer.alloc(0));
    // A file is read only while it is sent: it cannot be kept before.
    if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return await this.fail();
    const body = Buffer.from(payload);
    this.bytes = body.length;
    await this.settleWith(body);
  }

  private async settleWith(body: Buffer): Promise<void> {
    const { status, headers, options } = this;
    const answer = { status, headers, body };
    const isKeepable = !this.isTooLong && isKept(answer, options.isPublic);
    await this.settleOnce(isKeepable ? answer : undefined);
  }

  private async settleOnce(answer: StoredAnswer | undefined): Promise<void> {
    this.settling ??= this.options.settle(answer);
    await this.settling;
  }
}
