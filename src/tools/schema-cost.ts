/** What checking arguments by a schema costs at most, told before it is compiled. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from '../common/index';

export interface SchemaCost {
  /** Values in the schema, each `$ref` replaced by what it refers to: each may be held against each value of the arguments. */
  readonly nodes: number;
  /** Of them those that compare all items of a list with each other. */
  readonly comparisons: number;
}

/** Of a value; a field that is not set has none. */
type Part = JsonValue | undefined;

const MAX_NODES = 1000;
const MAX_POINTER_CHARS = 1000;
/** Nodes times values. */
const MAX_EFFORT = 200_000;
/** So many characters of a text take about as long as a value. */
const CHARS_PER_VALUE = 64;
const UNUSED: ReadonlySet<string> = new Set(['$id', '$schema', '$defs', 'definitions']);
/** Names that change what a `$ref` means. */
const ID_KEYWORDS = ['$id', '$anchor', '$dynamicAnchor', '$dynamicRef', '$recursiveRef'];

/** Undefined when there is no bound worth naming: too large, refers to itself, or refers by names. */
export function schemaCost(root: JsonObject): SchemaCost | undefined {
  const open: Part[] = [usedOf(root)];
  let nodes = 1;
  let comparisons = 0;
  while (open.length > 0) {
    const value = open.pop();
    const inner = innerOf(root, value);
    if (!inner) return undefined;
    nodes += inner.length;
    if (nodes > MAX_NODES) return undefined;
    if (isJsonObject(value) && value.uniqueItems === true) comparisons += 1;
    for (const part of inner) open.push(part);
  }
  return { nodes, comparisons };
}

/** Is it little enough work for a process that serves all others at the same time? */
export function isCheap({ nodes, comparisons }: SchemaCost, args: JsonObject): boolean {
  let values = 0;
  const open: Part[] = [args];
  while (open.length > 0) {
    const value = open.pop();
    values += 1 + (typeof value === 'string' ? value.length / CHARS_PER_VALUE : 0);
    if (values * (nodes + comparisons * values) > MAX_EFFORT) return false;
    if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) open.push(part);
  }
  return true;
}

/** Without what is only there to be referred to, and the name of the whole. */
function usedOf(root: JsonObject): JsonObject {
  return Object.fromEntries(Object.entries(root).filter(([keyword]) => !UNUSED.has(keyword)));
}

/** Undefined: nobody can say what it refers to without compiling it. */
function innerOf(root: JsonObject, value: Part): readonly Part[] | undefined {
  if (typeof value !== 'object' || value === null) return [];
  if (!isJsonObject(value)) return value;
  if (hasId(value)) return undefined;
  const inner = Object.values(value);
  const { $ref } = value;
  if (typeof $ref !== 'string') return inner;
  const target = referred(root, $ref);
  return target === undefined ? undefined : [...inner, target];
}

/** By a JSON pointer, the only way that needs no names; one through a part with an id of its own would mean another root. */
function referred(root: JsonObject, ref: string): JsonValue | undefined {
  if (ref === '#') return usedOf(root);
  if (!ref.startsWith('#/') || ref.length > MAX_POINTER_CHARS) return undefined;
  let target: JsonValue | undefined = root;
  for (const part of ref.slice(2).split('/')) {
    const name = decoded(part);
    if (typeof target !== 'object' || target === null || !Object.hasOwn(target, name)) return undefined;
    target = (target as JsonObject)[name];
    if (isJsonObject(target) && hasId(target)) return undefined;
  }
  return target;
}

function hasId(part: JsonObject): boolean {
  return ID_KEYWORDS.some((keyword) => typeof part[keyword] === 'string');
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part).replaceAll('~1', '/').replaceAll('~0', '~');
  } catch {
    return part;
  }
}
