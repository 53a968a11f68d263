/** Upstreams' error messages, made fit for callers and logs: bounded, without credentials, never the prompt. */
import { type ChatBody, messageText, type ProviderId } from '../../common/index';

/** What an error message may be compared with, so that it never repeats a credential or the prompt. */
export interface ErrorContext {
  readonly provider: ProviderId;
  readonly apiKey?: string;
  /** The request; absent for calls that carry no prompt. */
  readonly body?: ChatBody;
  /** The texts of a request that is no chat. */
  readonly prompts?: readonly string[];
}

const MESSAGE_LIMIT = 500;

const SECRETS: readonly RegExp[] = [
  /\bbearer\s+\S+/gi,
  /\b(?:sk|pk|rk|xai|gsk|key|llk)[-_][\w*.-]{6,}/gi,
  /\b(?:AIza|AKIA|ASIA)[\w-]{8,}/g,
  // Names of AWS resources hold the account and its users.
  /\barn:aws[^\s"',]+/g,
  /\b(?:api[-_ ]?key|token|secret|password)["']?\s*[=:]\s*["']?[^\s"',;]+/gi,
  /(?=[\w+/=-]*\d)[\w+/=-]{32,}/g,
];

/** The upstream's own words without credentials, at most 500 characters, or nothing when they repeat the prompt. */
export function safeMessage(
  context: ErrorContext,
  message: string | undefined,
  limit = MESSAGE_LIMIT,
): string | undefined {
  const bounded = message?.slice(0, limit * 2).trim();
  if (!bounded) return undefined;
  if (repeatsPrompt(bounded, promptsOf(context))) return '(its message repeats the request and is withheld)';
  const withoutKey = context.apiKey ? bounded.replaceAll(context.apiKey, '[redacted]') : bounded;
  const clean = SECRETS.reduce((kept, secret) => kept.replace(secret, '[redacted]'), withoutKey);
  return clean.slice(0, limit);
}

const WINDOW = 20;
const STEP = 10;

function promptsOf({ body, prompts }: ErrorContext): readonly string[] {
  return prompts ?? body?.messages.map(messageText) ?? [];
}

/** Finds any run of 30 characters that the message shares with the prompt, and shorter prompts as a whole. */
function repeatsPrompt(message: string, prompts: readonly string[]): boolean {
  const windows = new Windows(message);
  return prompts.some((prompt) => {
    if (prompt.length < WINDOW + STEP) return prompt.length >= 8 && message.includes(prompt);
    return windows.meet(prompt);
  });
}

/**
 * All runs of 20 characters of a short text. A long one is held against them at every tenth place, in one pass: the
 * whole of a prompt of millions of characters is searched, and requests beside it do not wait for that.
 */
class Windows {
  private readonly runs = new Set<string>();
  /** Which sums of some of their characters occur: almost every place of a prompt is told apart by that alone. */
  private readonly sums = new Uint8Array(0x1_00_00);

  constructor(text: string) {
    for (let at = 0; at + WINDOW <= text.length; at += 1) {
      this.runs.add(text.slice(at, at + WINDOW));
      this.sums[sumAt(text, at)] = 1;
    }
  }

  meet(text: string): boolean {
    for (let at = 0; at + WINDOW <= text.length; at += STEP) {
      if (this.sums[sumAt(text, at)] === 1 && this.runs.has(text.slice(at, at + WINDOW))) return true;
    }
    return false;
  }
}

function sumAt(text: string, at: number): number {
  const ends = text.charCodeAt(at) * 257 + text.charCodeAt(at + 15) * 7919;
  return (ends + text.charCodeAt(at + 7) * 31) & 0xff_ff;
}
