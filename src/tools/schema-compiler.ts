/** JSON schemas of tools, compiled. The compiler is loaded at its first use: it costs the boot more than all tools. */
import type { ErrorObject, ValidateFunction } from 'ajv';
import { RE2JS } from 're2js';
import type { JsonObject, JsonValue } from '../common/index';

type Ajv = import('ajv').default;
type AjvOptions = import('ajv').Options;
type AjvClass = new (options: AjvOptions) => Ajv;

/** What breaks the schema; empty when nothing does. */
export type SchemaCheck = (value: JsonValue) => readonly ErrorObject[];

/** Formats are the tool's own business; `ownProperties`: what an object inherits is not in the arguments. */
const OPTIONS: AjvOptions = {
  strict: false,
  logger: false,
  allErrors: true,
  ownProperties: true,
  validateFormats: false,
};

/** Characters of texts times steps of patterns, in one check of arguments. */
const MAX_PATTERN_STEPS = 20_000_000;
const MAX_TOLD = 5;

/** What is left of it while one value is checked. */
interface Effort {
  left: number;
}
type RegExpEngine = NonNullable<NonNullable<AjvOptions['code']>['regExp']>;

const draftClasses = {
  draft7: (): AjvClass => (require('ajv') as typeof import('ajv')).default,
  draft2019: (): AjvClass => (require('ajv/dist/2019') as typeof import('ajv/dist/2019')).default,
  draft2020: (): AjvClass => (require('ajv/dist/2020') as typeof import('ajv/dist/2020')).default,
};
type Draft = keyof typeof draftClasses;

/** They know the schema of schemas, which takes long to compile. */
const schemaCheckers = new Map<Draft, Ajv>();

/** @throws Error saying what is wrong with the schema */
export function compileSchema({ $schema, ...schema }: JsonObject): SchemaCheck {
  const draft = draftOf($schema);
  const checker = schemaCheckers.get(draft) ?? new (draftClasses[draft]())(OPTIONS);
  schemaCheckers.set(draft, checker);
  if (!checker.validateSchema(schema))
    throw new Error(checker.errorsText(checker.errors?.slice(0, MAX_TOLD), { dataVar: 'schema' }));
  const effort: Effort = { left: MAX_PATTERN_STEPS };
  const code = { regExp: linearRegExps(effort) };
  // One compiler for each: the ids within a schema must not be seen by others, nor stay behind.
  const options = { ...OPTIONS, meta: false, validateSchema: false, code };
  const validate: ValidateFunction = new (draftClasses[draft]())(options).compile(schema);
  if ('$async' in validate) throw new Error('schema is asynchronous');
  return (value) => {
    effort.left = MAX_PATTERN_STEPS;
    return validate(value) ? [] : (validate.errors ?? []);
  };
}

function draftOf($schema: JsonValue | undefined): Draft {
  const name = typeof $schema === 'string' ? $schema : '';
  if (name.includes('2020-12')) return 'draft2020';
  return name.includes('2019-09') ? 'draft2019' : 'draft7';
}

/**
 * Patterns come from tool servers and the texts from models, so matching must take linear time, and all of it together not
 * much. What a backtracking engine alone understands, or what is too much, is left to the tool.
 */
function linearRegExps(effort: Effort): RegExpEngine {
  const make = (pattern: string, flags: string): { test(text: string): boolean } => {
    // Is it a pattern at all?
    void new RegExp(pattern, flags);
    try {
      const compiled = RE2JS.compile(pattern);
      const size = compiled.programSize();
      return {
        test: (text) => {
          effort.left -= size * text.length;
          return effort.left < 0 || compiled.matcher(text).find();
        },
      };
    } catch {
      return { test: () => true };
    }
  };
  return Object.assign(make, { code: 'linearRegExp' });
}
