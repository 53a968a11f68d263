import type { JsonObject, JsonValue } from '../../../common/index';
import type { SeededRandom } from './seeded-random';

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-15T09:30:00Z',
  date: '2026-01-15',
  time: '09:30:00Z',
  duration: 'PT15M',
  email: 'someone@example.com',
  hostname: 'example.com',
  uri: 'https://example.com/sandbox',
  url: 'https://example.com/sandbox',
  'uri-reference': '/sandbox',
  uuid: '3f8a1c52-7d4e-4b6a-9c0f-1e2d3c4b5a69',
  ipv4: '192.0.2.10',
  ipv6: '2001:db8::10',
};
const MAX_LENGTH = 10_000;
const USUAL_RANGE = 100;

/** A string that says which field it stands for, in the asked format or length. */
export function stringFor(schema: JsonObject, random: SeededRandom, name: string): string {
  const format = typeof schema.format === 'string' ? FORMATS[schema.format] : undefined;
  if (format) return format;
  const least = Math.min(numeric(schema.minLength) ?? 0, MAX_LENGTH);
  const most = numeric(schema.maxLength) ?? MAX_LENGTH;
  const text = `sandbox ${name.replaceAll('_', ' ')} ${random.below(USUAL_RANGE)}`;
  return text.padEnd(least, '.').slice(0, Math.max(least, most));
}

/** A number in the asked range, on the grid of `multipleOf` or else of `step`. */
export function numberFor(schema: JsonObject, random: SeededRandom, step: number): number {
  const grid = numeric(schema.multipleOf) ?? step;
  const above = numeric(schema.exclusiveMinimum);
  const below = numeric(schema.exclusiveMaximum);
  const lowest = Math.max(numeric(schema.minimum) ?? -Infinity, above ?? -Infinity);
  const highest = Math.min(numeric(schema.maximum) ?? Infinity, below ?? Infinity);
  const from = lowest === -Infinity ? (highest < 0 ? highest - USUAL_RANGE : 0) : lowest;
  const first =
    Math.ceil(from / grid) + (above !== undefined && Math.ceil(from / grid) * grid <= above ? 1 : 0);
  const until = highest === Infinity ? first * grid + USUAL_RANGE : highest;
  const last =
    Math.floor(until / grid) - (below !== undefined && Math.floor(until / grid) * grid >= below ? 1 : 0);
  // A narrow range between two points of the usual grid has its middle.
  if (last < first) return (from + until) / 2;
  return (first + random.below(last - first + 1)) * grid;
}

function numeric(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}
