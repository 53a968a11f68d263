/** Items that a request names instead of sending them: their ids tell the response they belong to. */
import { fromApiId, isJsonObject, type JsonObject } from '../../common/index';
import { invalid } from '../invalid';
import { kindOf, nameAt, onlyFields } from '../messages/conversion';

const ITEM_ID = /^(?:msg|fc|fco|rs)_([0-9a-f]{32})i?[0-9a-f]{4,}$/;

/** The ids that the input refers to, by where they stand in it. */
export function referencesIn(raw: unknown): ReadonlyMap<number, string> {
  const input: readonly unknown[] = isJsonObject(raw) && Array.isArray(raw.input) ? raw.input : [];
  const references = new Map<number, string>();
  input.forEach((item, index) => {
    if (!isJsonObject(item) || !isReference(item)) return;
    onlyFields(item, ['type', 'id'], `input[${index}]`);
    references.set(index, nameAt(item.id, `input[${index}].id`));
  });
  return references;
}

/** UUID of the response that an item belongs to; undefined when the id is not of one. */
export function responseOf(itemId: string): string | undefined {
  const [, digits] = ITEM_ID.exec(itemId) ?? [];
  return digits && fromApiId('resp', `resp_${digits}`);
}

/** The request with the items themselves. @throws ValidationError for one that is not there. */
export function resolved(
  raw: unknown,
  references: ReadonlyMap<number, string>,
  items: ReadonlyMap<string, JsonObject>,
): JsonObject {
  const body = raw as JsonObject;
  const input = (body.input as readonly JsonObject[]).map((item, index) => {
    const id = references.get(index);
    if (id === undefined) return item;
    const found = items.get(id);
    return (
      found ?? invalid(`input[${index}].id`, 'names no item of yours that is kept here: send the item itself')
    );
  });
  return { ...body, input };
}

/** The type may be left out. */
function isReference(item: JsonObject): boolean {
  const kind = kindOf(item);
  return kind === 'item_reference' || (kind === '' && item.role === undefined && item.id !== undefined);
}
