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
const SEARCHED_CHARS = 262_144;

function promptsOf({ body, prompts }: ErrorContext): readonly string[] {
  return prompts ?? body?.messages.map(messageText) ?? [];
}

/** Finds any run of 30 characters that the message shares with the prompt, and shorter prompts as a whole. */
function repeatsPrompt(message: string, prompts: readonly string[]): boolean {
  return prompts.some((text) => {
    const prompt = text.slice(0, SEARCHED_CHARS);
    if (prompt.length < WINDOW + STEP) return prompt.length >= 8 && message.includes(prompt);
    for (let at = 0; at + WINDOW <= message.length; at += STEP) {
      if (prompt.includes(message.slice(at, at + WINDOW))) return true;
    }
    return false;
  });
}
