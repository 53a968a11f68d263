/** Response headers by lower-case name. */
export type AnswerHeaders = Readonly<Record<string, string | number | readonly string[] | undefined>>;

/**
 * Takes down the answer to a request, so that it can be given again. Whoever writes to the socket himself (streams)
 * reports every byte; answers that Fastify sends are reported by the `onSend` hook.
 */
export interface AnswerRecorder {
  /** A streamed answer begins. */
  begin(status: number, headers: AnswerHeaders): void;
  /** A piece of it, whether or not the client is still there to take it. */
  write(frame: string): void;
  /** Nothing comes after what was written. Resolves when the last piece may be sent; never rejects. */
  end(): Promise<void>;
  /** The stream ended in an error, or was cut: it is not to be given again. Never rejects. */
  fail(): Promise<void>;
  /** A whole answer. Resolves when it may be sent; never rejects. */
  answer(status: number, headers: AnswerHeaders, payload: unknown): Promise<void>;
}
