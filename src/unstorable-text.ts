/** Text that PostgreSQL has no place for: NUL, and halves of surrogate pairs, which its JSON refuses. */

/** The way to a value, from the inside out: request bodies may be nested deeper than a stack is. */
interface Place {
  readonly value: unknown;
  readonly name: string;
  readonly within?: Place;
}

const MAX_SHOWN = 200;

const isUnstorable = (text: string): boolean => text.includes('\0') || !text.isWellFormed();

/**
 * The first field that holds such text, as `webhook.events.0`; undefined when all can be stored. A name that is such
 * text itself is not repeated: its field is the one around it, and that of the root has no name.
 */
export function unstorableField(root: unknown, name = ''): string | undefined {
  const places: Place[] = [{ value: root, name }];
  for (let place = places.pop(); place; place = places.pop()) {
    const { value } = place;
    if (typeof value === 'string' && isUnstorable(value)) return pathOf(place);
    if (typeof value !== 'object' || value === null) continue;
    const entries = Object.entries(value);
    if (entries.some(([key]) => isUnstorable(key))) return pathOf(place);
    for (const [key, inner] of entries.toReversed()) places.push({ value: inner, name: key, within: place });
  }
  return undefined;
}

function pathOf(place: Place): string {
  const names: string[] = [];
  for (let at: Place | undefined = place; at; at = at.within) if (at.name !== '') names.push(at.name);
  return names.toReversed().join('.').slice(0, MAX_SHOWN);
}
