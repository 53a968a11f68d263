import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type ChatRequest, isTaskType, TASK_TYPES, type TaskType } from '../common/index';
import { AppConfig } from '../config/index';
import { ValidationError } from '../errors/index';
import { TaskClassifier } from './classifier/task-classifier';
import { complexity } from './complexity';
import type { PatternSet } from './pattern-set';
import { Patterns } from './patterns';
import { promptSketch } from './prompt-sketch';
import { type PromptText, promptText } from './prompt-text';
import { type RequestFacts, requestFacts } from './request-facts';
import type { SecondaryTaskType, TaskFeatures, TaskProfile } from './task-profile';
import { readWindows } from './text-reading';
import { rankTypes, type TypeRanking } from './type-ranking';

/** What follows from the text alone; this is what the cache holds. */
interface KnownText {
  readonly ranking: TypeRanking;
  readonly language: string;
  readonly hasCode: boolean;
  readonly demanding: number;
  readonly simple: number;
  readonly patterns: readonly string[];
  readonly sketch: readonly number[];
}

const NO_TYPES: readonly SecondaryTaskType[] = Object.freeze([]);

type Decision = Pick<TaskProfile, 'taskType' | 'confidence' | 'secondary' | 'source'>;

/**
 * Works out what kind of task a request is. Pure and synchronous: the same request gives the same frozen profile.
 * Text is read through bounded windows and remembered under the full SHA-256 of those windows; what follows from the
 * request's other fields is computed anew each time.
 */
@Injectable()
export class AnalysisService {
  private readonly readings: LRUCache<string, KnownText>;
  /** What they were read with. */
  private readWith?: PatternSet;

  constructor(
    private readonly patterns: Patterns,
    private readonly classifier: TaskClassifier,
    config: AppConfig,
  ) {
    this.readings = new LRUCache({ max: config.vars.ANALYZER_CACHE_SIZE });
  }

  /** Of what reads prompts now. */
  get versions(): { readonly patterns: string; readonly classifier: string } {
    return { patterns: this.patterns.current.version, classifier: this.classifier.version };
  }

  /** @throws ValidationError naming `x-lattice-task-type` when the override is no task type. */
  profile(request: ChatRequest): TaskProfile {
    const facts = requestFacts(request);
    const patterns = this.patterns.current;
    const reading = this.read(patterns, promptText(request.body.messages));
    const override = askedTaskType(request.options.taskType);
    const decision = override ? overridden(override) : decide(facts, request, reading.ranking);
    return Object.freeze({
      taskType: decision.taskType,
      confidence: decision.confidence,
      secondary: decision.secondary,
      needs: facts.needs,
      features: features(facts, reading),
      patterns: reading.patterns,
      sketch: reading.sketch,
      source: decision.source,
      probabilities: reading.ranking.probabilities,
      patternsVersion: patterns.version,
      classifierVersion: this.classifier.version,
    });
  }

  private read(patterns: PatternSet, windows: PromptText): KnownText {
    if (patterns !== this.readWith) this.readings.clear();
    this.readWith = patterns;
    const key = cacheKey(windows);
    const known = this.readings.get(key);
    if (known) return known;
    const reading = this.readAnew(patterns, windows);
    this.readings.set(key, reading);
    return reading;
  }

  private readAnew(patterns: PatternSet, windows: PromptText): KnownText {
    const { matches, ...reading } = readWindows(patterns, windows);
    const { text, lowered, language, hasCode, demanding, simple } = reading;
    const isEmpty = text.trim() === '';
    const ranking = rankTypes(
      isEmpty ? [] : this.classifier.probabilities({ text, lowered, language, patterns: matches }),
    );
    const ids = Object.freeze(matches.map(({ id }) => id));
    return { ranking, language, hasCode, demanding, simple, patterns: ids, sketch: promptSketch(lowered) };
  }
}

/** Lengths keep the windows apart, so that moving text from one to another changes the key. */
function cacheKey({ instruction, material, earlier, system }: PromptText): string {
  const lengths = `${instruction.length},${material.length},${earlier.length}:`;
  return hash('sha256', lengths + instruction + material + earlier + system, 'base64');
}

function features(facts: RequestFacts, reading: KnownText): TaskFeatures {
  return Object.freeze({
    promptChars: facts.promptChars,
    messageCount: facts.messageCount,
    estimatedPromptTokens: facts.estimatedPromptTokens,
    estimatedFileTokens: facts.estimatedFileTokens,
    boundPromptTokens: facts.boundPromptTokens,
    requestedMaxTokens: facts.requestedMaxTokens,
    hasCode: reading.hasCode,
    imageCount: facts.imageCount,
    hasFiles: facts.hasFiles,
    toolCount: facts.toolCount,
    language: reading.language,
    complexity: complexity({
      promptTokens: facts.estimatedPromptTokens,
      messageCount: facts.messageCount,
      hasCode: reading.hasCode,
      demanding: reading.demanding,
      simple: reading.simple,
    }),
  });
}

/** Fields decide first: tools, then images; the text's own type stays as a secondary one. */
function decide(facts: RequestFacts, request: ChatRequest, text: TypeRanking): Decision {
  const usesTools = facts.needs.tools && request.body.tool_choice !== 'none';
  if (!usesTools && !facts.needs.vision) return text;
  const secondary: SecondaryTaskType[] = [];
  if (usesTools && facts.needs.vision) secondary.push(Object.freeze({ taskType: 'VISION', confidence: 1 }));
  return {
    taskType: usesTools ? 'TOOL_USE' : 'VISION',
    confidence: 1,
    secondary: Object.freeze([...secondary, textType(text)]),
    source: 'fields',
  };
}

/** The caller knows best: nothing else is mixed in. */
function overridden(taskType: TaskType): Decision {
  return { taskType, confidence: 1, secondary: NO_TYPES, source: 'override' };
}

function textType({ taskType, confidence }: TypeRanking): SecondaryTaskType {
  return Object.freeze({ taskType, confidence });
}

function askedTaskType(asked: string | undefined): TaskType | undefined {
  if (asked === undefined) return undefined;
  const name = asked.trim().toUpperCase().replaceAll('-', '_');
  if (isTaskType(name)) return name;
  throw new ValidationError(`x-lattice-task-type must be one of ${TASK_TYPES.join(', ')}`, {
    param: 'x-lattice-task-type',
  });
}
