import { isJsonObject, type JsonObject } from '../common/index';
import type { Completion } from './completion';

/** The text of the first choice; empty when it has none. */
export function completionText({ body, rawBody }: Completion): string {
  const answer = body ?? (JSON.parse(rawBody?.toString('utf8') ?? '{}') as JsonObject);
  const [choice] = Array.isArray(answer.choices) ? (answer.choices as readonly unknown[]) : [];
  const message = isJsonObject(choice) ? choice.message : undefined;
  const content = isJsonObject(message) ? message.content : undefined;
  return typeof content === 'string' ? content : '';
}
