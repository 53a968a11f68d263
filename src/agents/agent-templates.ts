import { Injectable } from '@nestjs/common';
import {
  CaptureTag,
  type Context,
  defaultOperators,
  Liquid,
  LiquidError,
  type Operators,
  type Template,
  toValueSync,
  type Variable,
} from 'liquidjs';
import { LRUCache } from 'lru-cache';
import { MAX_AGENT_PROMPT } from './agent';
import { PromptTemplateError } from './agents.errors';
import './template-ranges';
import { inTime } from './template-time';

/** What a template can name, and the fields of each; `metadata` may hold anything. */
export const TEMPLATE_VARIABLES = {
  task: [
    'title',
    'description',
    'deliverables',
    'successCriteria',
    'agent',
    'metadata',
    'maxTokens',
    'priority',
  ],
  project: ['name', 'requirements'],
  agent: ['type', 'description', 'capabilities', 'tools'],
  earlier: undefined,
} as const satisfies Record<string, readonly string[] | undefined>;

export type TemplateScope = Readonly<Partial<Record<keyof typeof TEMPLATE_VARIABLES, object>>>;

/** Nothing that reads files, and nothing that is about web pages. */
const TAGS = words('assign capture comment raw # if unless case for break continue');
/** Those whose cost is bounded by `memoryLimit`, and whose result depends on the variables alone. */
const FILTERS = words(
  'append prepend capitalize downcase upcase strip strip_newlines truncate truncatewords number_of_words slice default json',
  'first last join map where compact uniq reverse sort size',
  'plus minus times divided_by modulo round ceil floor at_least at_most',
);

/** Of one rendering, which happens in the process that serves all others. */
const RENDER_LIMIT_MS = 250;
/** Of the try with the sample, which anybody may ask for at any time. */
const CHECK_LIMIT_MS = 100;
/** What filters, ranges and captures may make, and searches may look through, in one rendering: characters and items. */
const MEMORY_LIMIT = 2_000_000;
/** A text is gone through once for each so many characters that are looked for in it. */
const SOUGHT_CHARS = 16;
export const MAX_RENDERED = 200_000;
const KEPT_TEMPLATES = 500;
type Result = ReturnType<Operators[string]>;
const CONTAINS = defaultOperators.contains as (left: unknown, right: unknown, ctx: Context) => Result;

/**
 * The templates of agents' prompts (LiquidJS), which users write: no files, no partials, own properties only, known
 * variables, tags and filters only, all of it bounded. Only a prompt is ever read as a template, never what is put into it.
 */
@Injectable()
export class AgentTemplates {
  private readonly engine = sandboxed();
  private readonly parsed = new LRUCache<string, Template[]>({ max: KEPT_TEMPLATES });

  /**
   * @param limitMs Infinity for the installation's own: a busy machine must not keep it from starting
   * @throws PromptTemplateError naming line and column.
   */
  check(prompt: string, limitMs = CHECK_LIMIT_MS): void {
    this.render(prompt, SAMPLE, limitMs);
  }

  /** @throws PromptTemplateError as `check`, or because it takes too long or gives too much. */
  render(prompt: string, scope: TemplateScope, limitMs = RENDER_LIMIT_MS): string {
    const text = guarded(() => {
      const template = this.parsed.get(prompt) ?? this.parse(prompt, limitMs);
      return inTime(limitMs, () => String(this.engine.renderSync(template, scope)));
    });
    if (text.length <= MAX_RENDERED) return text;
    throw new PromptTemplateError(`it gives more than ${MAX_RENDERED} characters`);
  }

  private parse(prompt: string, limitMs: number): Template[] {
    const template = inTime(limitMs, () => {
      const parsed = this.engine.parse(prompt);
      refuseUnknown(Object.values(this.engine.analyzeSync(parsed, { partials: false }).globals).flat());
      return parsed;
    });
    this.parsed.set(prompt, template);
    return template;
  }
}

function words(...lines: string[]): ReadonlySet<string> {
  return new Set(lines.flatMap((line) => line.split(' ')));
}

function sandboxed(): Liquid {
  const engine = new Liquid({
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    parseLimit: MAX_AGENT_PROMPT,
    memoryLimit: MEMORY_LIMIT,
    operators: { ...defaultOperators, contains: countedContains },
  });
  engine.registerTag('capture', CountedCapture);
  for (const tag of Object.keys(engine.tags)) if (!TAGS.has(tag)) delete engine.tags[tag];
  for (const filter of Object.keys(engine.filters)) {
    if (!FILTERS.has(filter)) engine.unregisterFilter(filter);
  }
  return engine;
}

/** The engine counts what filters make, but not what is captured, which doubles as quickly. */
class CountedCapture extends CaptureTag {
  override *render(ctx: Context): ReturnType<CaptureTag['render']> {
    yield* super.render(ctx);
    const scope = ctx.bottom() as Readonly<Record<string, string | undefined>>;
    ctx.memoryLimit.use(scope[this.variable]?.length ?? 0);
  }
}

/** Node.js stops nobody within a search in a text, which may take minutes. */
function countedContains(left: unknown, right: unknown, ctx: Context): Result {
  const text: unknown = toValueSync(left);
  if (typeof text === 'string') {
    const sought = Math.ceil(String(toValueSync(right)).length / SOUGHT_CHARS);
    ctx.memoryLimit.use(text.length * sought);
  }
  return CONTAINS(left, right, ctx);
}

/** A misspelt variable would be an empty text, seen by nobody. */
function refuseUnknown(variables: readonly Variable[]): void {
  for (const { segments, location } of variables) {
    const [root, field] = segments;
    const place = { line: location.row, column: location.col };
    if (!isVariable(root)) {
      const known = Object.keys(TEMPLATE_VARIABLES).join(', ');
      throw new PromptTemplateError(`there is no variable "${String(root)}"; known are ${known}`, place);
    }
    const fields: readonly string[] | undefined = TEMPLATE_VARIABLES[root];
    if (fields && typeof field === 'string' && !fields.includes(field)) {
      const known = fields.map((name) => `${root}.${name}`).join(', ');
      throw new PromptTemplateError(`there is no variable "${root}.${field}"; known are ${known}`, place);
    }
  }
}

function isVariable(root: unknown): root is keyof typeof TEMPLATE_VARIABLES {
  return typeof root === 'string' && Object.hasOwn(TEMPLATE_VARIABLES, root);
}

/** What the engine throws, as our own error. */
function guarded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (error instanceof PromptTemplateError || !(error instanceof Error)) throw error;
    const [line, column] = LiquidError.is(error) ? error.token.getPosition() : [];
    const place = line === undefined || column === undefined ? undefined : { line, column };
    throw new PromptTemplateError(reasonOf(error), place);
  }
}

/** Of thousands of brackets in each other the engine says that the stack is full. */
function reasonOf({ message }: Error): string {
  if (message.startsWith('Maximum call stack')) return 'it is nested too deeply';
  return message.replace(/, line:\d+, col:\d+$/, '');
}

const SAMPLE: TemplateScope = {
  task: {
    title: 'Title',
    description: 'Description',
    deliverables: ['One', 'Two'],
    successCriteria: ['One', 'Two'],
    agent: 'coder',
    metadata: {},
    maxTokens: 4096,
    priority: 50,
  },
  project: { name: 'Name', requirements: 'Requirements' },
  agent: { type: 'coder', description: 'Description', capabilities: ['code'], tools: ['file'] },
  earlier: [{ title: 'Title', output: 'Output' }],
};
