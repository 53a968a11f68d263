import { RE2Set } from 're2js';
import type { TaskType } from '../common/index';
import { parseYaml, readYamlFile, shortHash } from '../config/index';
import { ConfigurationError } from '../errors/index';
import { type Expression, type PatternEntry, type PatternFile, patternFileSchema } from './pattern-file';
import { PhraseTrie } from './phrase-trie';
import type { PromptText } from './prompt-text';

export const PATTERN_FILE = 'routing/patterns.yaml';
/** Room for the states of the one automaton; beyond it, matching stays linear but gets slow. */
const AUTOMATON_BYTES = 32 * 1024 * 1024;

/** How much a match in each window counts. */
const WINDOW_STRENGTH: Readonly<Record<keyof PromptText, number>> = {
  instruction: 1,
  material: 0.35,
  earlier: 0.4,
  system: 0.3,
};
const WINDOWS = Object.keys(WINDOW_STRENGTH) as (keyof PromptText)[];

export interface PatternMatch {
  readonly id: string;
  readonly taskType: TaskType;
  /** The pattern's weight × the strength of the window it matched in. */
  readonly weight: number;
}

export interface PatternReading {
  readonly matches: readonly PatternMatch[];
  readonly hasCode: boolean;
  /** How many signals of hard and of easy tasks fired. */
  readonly demanding: number;
  readonly simple: number;
}

interface CompiledPattern {
  readonly id: string;
  readonly taskType: TaskType;
  readonly weight: number;
  readonly languages?: ReadonlySet<string>;
  /** Indices of expressions. */
  readonly all: readonly number[];
  readonly none: readonly number[];
}

/**
 * All patterns of the file at once: one tree of phrases and one automaton of all regular expressions (RE2, no backtracking).
 * A window is read in time linear in its length, whatever the patterns and the text are. Both see lower-cased text.
 */
export class PatternSet {
  private readonly automaton = new RE2Set(RE2Set.UNANCHORED, 0, AUTOMATON_BYTES);
  /** The expression that each regular expression of the automaton belongs to. */
  private readonly ownerOf: number[] = [];
  private readonly phrases = new PhraseTrie();
  private readonly indexOfSignal = new Map<string, number>();
  private readonly compiled: readonly CompiledPattern[];
  private readonly features: Readonly<Record<keyof PatternFile['features'], readonly number[]>>;
  private count = 0;

  private constructor(
    private readonly file: string,
    content: PatternFile,
    /** The first digits of the file's SHA-256. */
    readonly version: string,
  ) {
    for (const [name, signal] of Object.entries(content.signals)) {
      this.indexOfSignal.set(name, this.add(signal, `signals.${name}`));
    }
    this.compiled = content.patterns.map((entry, index) => this.compile(entry, `patterns[${index}]`));
    this.requireUniqueIds(content.patterns);
    this.features = {
      code: this.signals(content.features.code, 'features.code'),
      demanding: this.signals(content.features.demanding, 'features.demanding'),
      simple: this.signals(content.features.simple, 'features.simple'),
    };
    this.automaton.compile();
  }

  /** @throws ConfigurationError naming the file, the place in it and the reason. */
  static load(dirs: readonly string[]): PatternSet {
    const { file, value, version } = readYamlFile(dirs, PATTERN_FILE, patternFileSchema);
    return new PatternSet(file, value, version);
  }

  /** @throws ConfigurationError as `load` does; `file` is only named in messages. */
  static parse(file: string, text: string): PatternSet {
    return new PatternSet(file, parseYaml(file, text, patternFileSchema), shortHash(text));
  }

  get ids(): readonly string[] {
    return this.compiled.map(({ id }) => id);
  }

  /** `language` decides which patterns count; `und` lets all count. Windows are lower-cased. */
  read(windows: PromptText, language: string): PatternReading {
    const strengths = new Float64Array(this.count);
    for (const window of WINDOWS) this.scan(windows[window], WINDOW_STRENGTH[window], strengths);
    const matches: PatternMatch[] = [];
    for (const pattern of this.compiled) {
      const strength = patternStrength(pattern, strengths);
      if (strength === 0 || !countsIn(pattern, language)) continue;
      matches.push({ id: pattern.id, taskType: pattern.taskType, weight: pattern.weight * strength });
    }
    return {
      matches,
      hasCode: fired(this.features.code, strengths) > 0,
      demanding: fired(this.features.demanding, strengths),
      simple: fired(this.features.simple, strengths),
    };
  }

  private scan(text: string, strength: number, strengths: Float64Array): void {
    if (text === '') return;
    const found = (index: number): void => {
      if (strength > (strengths[index] ?? 0)) strengths[index] = strength;
    };
    this.phrases.scan(text, found);
    for (const position of this.automaton.match(text)) found(this.ownerOf[position] ?? -1);
  }

  private compile(entry: PatternEntry, place: string): CompiledPattern {
    const all = this.signals(entry.all ?? [], `${place}.all`);
    const hasOwn = entry.words !== undefined || entry.regex !== undefined;
    return {
      id: entry.id,
      taskType: entry.taskType,
      weight: entry.weight,
      languages: entry.languages && new Set(entry.languages),
      all: hasOwn ? [...all, this.add(entry, place)] : all,
      none: this.signals(entry.none ?? [], `${place}.none`),
    };
  }

  private add({ words = [], regex }: Expression, place: string): number {
    const index = this.count;
    this.count += 1;
    for (const phrase of words) {
      this.attempt(`${place}.words: "${phrase}"`, () => this.phrases.add(phrase, index));
    }
    if (regex !== undefined) {
      this.attempt(`${place}.regex`, () => this.automaton.add(regex));
      this.ownerOf.push(index);
    }
    return index;
  }

  private attempt(place: string, compile: () => void): void {
    try {
      compile();
    } catch (error) {
      throw this.wrong(place, (error as Error).message);
    }
  }

  private signals(names: readonly string[], place: string): readonly number[] {
    return names.map((name, position) => {
      const index = this.indexOfSignal.get(name);
      if (index === undefined) throw this.wrong(`${place}[${position}]`, `there is no signal "${name}"`);
      return index;
    });
  }

  private requireUniqueIds(entries: readonly PatternEntry[]): void {
    const seen = new Set<string>();
    for (const [index, { id }] of entries.entries()) {
      if (seen.has(id)) throw this.wrong(`patterns[${index}].id`, `"${id}" is there twice`);
      seen.add(id);
    }
  }

  private wrong(place: string, reason: string): ConfigurationError {
    return new ConfigurationError(`${this.file}: ${place}: ${reason}`);
  }
}

/** A pattern is as strong as the weakest of what it needs; 0 when it does not match. */
function patternStrength(pattern: CompiledPattern, strengths: Float64Array): number {
  let weakest = 1;
  for (const index of pattern.all) weakest = Math.min(weakest, strengths[index] ?? 0);
  if (weakest === 0) return 0;
  for (const index of pattern.none) {
    if ((strengths[index] ?? 0) >= weakest) return 0;
  }
  return weakest;
}

function countsIn(pattern: CompiledPattern, language: string): boolean {
  return pattern.languages === undefined || language === 'und' || pattern.languages.has(language);
}

function fired(indices: readonly number[], strengths: Float64Array): number {
  let count = 0;
  for (const index of indices) if ((strengths[index] ?? 0) > 0) count += 1;
  return count;
}
