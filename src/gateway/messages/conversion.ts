import { isJsonObject, type JsonObject, type JsonValue } from '../../common/index';
import type { ChatLimits } from '../chat-messages';
import { invalid } from '../invalid';

/** What the parts of one conversion share: the bounds, and what the caller has to be told, whoever answers. */
export class Conversion {
  readonly warnings: string[] = [];
  private chars = 0;

  /** @param field where the prompt stands in the request. */
  constructor(
    readonly limits: ChatLimits,
    private readonly field = 'messages',
  ) {}

  /** Says it once, however often it happens. */
  warn(warning: string): void {
    if (!this.warnings.includes(warning)) this.warnings.push(warning);
  }

  /** Counts prompt text. @throws ValidationError when there is more of it than allowed. */
  text(value: JsonValue | undefined, at: string): string {
    const text = textAt(value, at);
    this.chars += text.length;
    const { maxPromptChars } = this.limits;
    if (this.chars > maxPromptChars)
      invalid(this.field, `must hold at most ${maxPromptChars} characters of text`);
    return text;
  }

  /** The `cache_control` of a block, for the place it is converted to. Attempts at models without a cache leave it out. */
  cacheMark(block: JsonObject, at: string): { readonly cache_control?: JsonObject } {
    const { cache_control: mark } = block;
    if (isAbsent(mark)) return {};
    if (!isJsonObject(mark)) invalid(`${at}.cache_control`, 'must be an object');
    return { cache_control: mark };
  }
}

export function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

export function objectAt(value: unknown, at: string): JsonObject {
  return isJsonObject(value) ? value : invalid(at, 'must be an object');
}

export function listAt(value: unknown, at: string): readonly JsonValue[] {
  return Array.isArray(value) ? (value as readonly JsonValue[]) : invalid(at, 'must be a list');
}

export function textAt(value: unknown, at: string): string {
  return typeof value === 'string' ? value : invalid(at, 'must be a string');
}

export function nameAt(value: unknown, at: string): string {
  return typeof value === 'string' && value !== ''
    ? value
    : invalid(at, 'must be a string that is not empty');
}

/** What a block, or another thing that comes in kinds, says that it is. */
export function kindOf(object: JsonObject): string {
  return typeof object.type === 'string' ? object.type : '';
}

/** Refuses fields that would be dropped; those set to null ask for nothing. */
export function onlyFields(object: JsonObject, known: readonly string[], at: string): void {
  for (const field of Object.keys(object)) {
    if (known.includes(field) || isAbsent(object[field])) continue;
    invalid(`${at}.${field.slice(0, 100)}`, `is not supported here; supported are ${known.join(', ')}`);
  }
}
