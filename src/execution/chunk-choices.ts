/** Reading chat.completion.chunk objects; pure. */
import type { JsonObject, JsonValue } from '../common/index';
import type { ChatChunk } from '../providers/index';

export interface Delta extends JsonObject {
  readonly content?: string | null;
  readonly tool_calls?: readonly JsonObject[];
}

export interface ChunkChoice extends JsonObject {
  readonly index?: number;
  readonly delta?: Delta;
  readonly finish_reason?: string | null;
}

export function choicesOf({ chunk }: ChatChunk): readonly ChunkChoice[] {
  return (chunk.choices as unknown as readonly ChunkChoice[] | undefined) ?? [];
}

/** Is anything of the answer in it? Streams open with chunks that name a role or tell what the provider filtered. */
export function bringsAnswer(choices: readonly ChunkChoice[]): boolean {
  return choices.some(({ delta }) =>
    Object.entries(delta ?? {}).some(([field, value]) => field !== 'role' && !isBlank(value)),
  );
}

function isBlank(value: JsonValue | undefined): boolean {
  if (value === undefined || value === null || value === '') return true;
  return typeof value === 'object' && Object.values(value).every(isBlank);
}

export function withoutCalls(delta: Delta | undefined): JsonObject {
  const { tool_calls: _, ...rest } = delta ?? {};
  return rest as JsonObject;
}

/** What all chunks of one answer have in common. */
export function envelopeOf({ id, object, created, model, system_fingerprint }: JsonObject): JsonObject {
  return { id, object, created, model, system_fingerprint } as JsonObject;
}
