/** Keeps secrets and prompts out of log lines: by the name of a field, and by the shape of a value. */

const SECRET_KEYS =
  /^(authorization|proxy-authorization|cookie|set-cookie|x-api-key|api-?key|apikey|.*secret.*|.*password.*|.*passwd.*|access_?token|refresh_?token|id_?token|setup_?token|invite_?token|bearer|private_?key|credentials?)$/i;
const PROMPT_KEYS =
  /^(prompt|messages|content|input|body|completion|text|answer|arguments|requestBodyValues|responseBody)$/i;
const SECRET_VALUES =
  /\b(?:ll[kris]_[\w-]{8,}|whsec_[\w+/=-]{8,}|sk-[\w-]{8,}|xai-[\w-]{16,}|AIza[\w-]{20,}|AKIA[A-Z0-9]{12,}|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*)|\bBearer\s+[\w.~+/-]{8,}=*|(?<=:\/\/[^/\s:@]{1,64}:)[^/\s@]{1,256}(?=@)/g;
const MAX_DEPTH = 6;

/** Replaces what looks like a credential inside a text. */
export function redactText(text: string): string {
  return text.replace(SECRET_VALUES, '[redacted]');
}

/** A copy of the value that is safe to log. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof Error) return redactError(value, depth);
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deep]';
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1));
  if (typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return (value as { toJSON(): unknown }).toJSON();
  return redactFields(value as Record<string, unknown>, depth);
}

export function redactFields(fields: Record<string, unknown>, depth = 0): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const key of Object.keys(fields)) {
    const value = fields[key];
    if (value === undefined) continue;
    if (typeof value === 'number' || typeof value === 'boolean') safe[key] = value;
    else if (SECRET_KEYS.test(key)) safe[key] = '[redacted]';
    else if (PROMPT_KEYS.test(key)) safe[key] = '[prompt hidden]';
    else safe[key] = redact(value, depth + 1);
  }
  return safe;
}

/** Name, message, stack and code; nothing else, because libraries attach whole requests to their errors. */
function redactError(error: Error, depth: number): Record<string, unknown> {
  return {
    name: error.name,
    message: redactText(error.message),
    code: (error as { code?: unknown }).code,
    stack: error.stack === undefined ? undefined : redactText(error.stack),
    ...(error.cause === undefined ? {} : { cause: redact(error.cause, depth + 1) }),
  };
}
