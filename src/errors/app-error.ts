/**
 * Every failure is one of three, decided where it is born: `retry` the same model, `fallover` to the next candidate,
 * or `final` because another attempt cannot help.
 */
export type FailureClass = 'retry' | 'fallover' | 'final';
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'fatal';

/** OpenAI's error types, so that its SDKs raise their own classes. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'not_found_error'
  | 'rate_limit_error'
  | 'insufficient_quota'
  | 'api_error'
  | 'overloaded_error';

/** Tells OpenAI's and Anthropic's clients, which send most failed requests again, that the same one will fail again. */
export const DO_NOT_RETRY = Object.freeze({ 'x-should-retry': 'false' });

export interface AppErrorOptions {
  /** The field the error is about, as the caller wrote it (`messages[2].content`). */
  readonly param?: string;
  readonly retryAfterMs?: number;
  /** Safe to show to the caller and to log: no secret, no prompt. */
  readonly details?: Readonly<Record<string, unknown>>;
  /** Response headers that go with the failure, such as `RateLimit-Limit`. */
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** A failure with a stable code. The message is shown to callers: cause and remedy, never a secret or a prompt. */
export abstract class AppError extends Error {
  abstract readonly code: string;
  abstract readonly status: number;
  abstract readonly type: ErrorType;
  readonly failure: FailureClass = 'final';
  readonly logLevel: LogLevel = 'warn';
  readonly param?: string;
  readonly retryAfterMs?: number;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;

  constructor(message: string, options: AppErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.param = options.param;
    this.retryAfterMs = options.retryAfterMs;
    this.details = options.details;
    this.headers = options.headers;
  }

  /** The same request fails again until somebody changes it, or something here or at the provider. */
  get isLasting(): boolean {
    if (this.headers?.['x-should-retry'] === 'false') return true;
    return this.status < 500 && this.status !== 429;
  }
}
