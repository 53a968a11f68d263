import { hash } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { type ChatRequest, type RequestContext, type TaskType, toApiId } from '../../common/index';
import { AppConfig } from '../../config/index';
import { toAppError } from '../../errors/index';
import { promptText, turnText } from '../prompt-text';
import type { SecondaryTaskType, TaskProfile } from '../task-profile';
import type { ClassifierModel, ClassifierQuestion } from './classifier-model';
import { answeredType, boundedPrompt, SYSTEM_PROMPT } from './question';

/** How long nobody waits for a model that gave no answer. */
const PAUSE_MS = 10_000;
const MAX_PAUSED = 10_000;
const MAX_SECONDARY = 3;
const MIN_SECONDARY_CONFIDENCE = 0.1;

interface Verdict {
  readonly taskType: TaskType;
  readonly model: string;
  readonly requestId: string;
}

/**
 * Asks a cheap model what kind of task a prompt is where the local classifier is unsure. The answer counts as often as such
 * answers are right; without one (no model, an error, no budget, too late, nonsense) the local answer stands.
 */
@Injectable()
export class SemanticRouter {
  private readonly logger = new Logger(SemanticRouter.name);
  /** By owner and text; also those that are being asked for just now. Undefined: the model could not say. */
  private readonly verdicts: LRUCache<string, Promise<Verdict | undefined>>;
  private readonly threshold: number;
  private readonly accuracy: number;
  private readonly timeoutMs: number;
  private model?: ClassifierModel;
  /** Owners whose question failed, for as long as nobody is asked for them. */
  private readonly paused: LRUCache<string, true>;

  constructor(config: AppConfig) {
    const { vars } = config;
    this.verdicts = new LRUCache({ max: vars.ANALYZER_CACHE_SIZE });
    this.paused = new LRUCache({ max: MAX_PAUSED, ttl: PAUSE_MS });
    this.threshold = vars.CLASSIFIER_MODEL === undefined ? 0 : vars.CLASSIFIER_THRESHOLD;
    this.accuracy = vars.CLASSIFIER_MODEL_ACCURACY;
    this.timeoutMs = vars.CLASSIFIER_TIMEOUT_MS;
  }

  /** Whoever meters requests offers itself at the start. */
  register(model: ClassifierModel): void {
    this.model = model;
  }

  /** Would a model be asked? */
  isUnsure({ source, confidence }: TaskProfile): boolean {
    return source === 'classifier' && confidence < this.threshold;
  }

  /** The profile as it is, or with the model's answer. Never rejects. */
  async refine(ctx: RequestContext, request: ChatRequest, profile: TaskProfile): Promise<TaskProfile> {
    const { model } = this;
    if (!model || !this.isUnsure(profile)) return profile;
    const text = boundedPrompt(turnText(promptText(request.body.messages)));
    const { userId } = ctx.principal;
    const key = hash('sha256', `${userId}:${text}`, 'base64');
    const known = this.verdicts.get(key);
    if (!known && this.paused.has(userId)) return profile;
    const question = { system: SYSTEM_PROMPT, user: text, useDirect: request.options.useDirect };
    const asked = known ?? this.ask(ctx, model, question);
    this.verdicts.set(key, asked);
    const verdict = await asked;
    if (!verdict && this.verdicts.peek(key) === asked) this.verdicts.delete(key);
    return verdict ? this.refined(profile, verdict) : profile;
  }

  private async ask(
    ctx: RequestContext,
    model: ClassifierModel,
    question: ClassifierQuestion,
  ): Promise<Verdict | undefined> {
    const signal = AbortSignal.any([ctx.signal, AbortSignal.timeout(this.timeoutMs)]);
    try {
      const answer = await model.ask({ ...ctx, signal }, question);
      const taskType = answeredType(answer.text);
      if (!taskType) this.tell(ctx, `${answer.model} named no kind of task`);
      return taskType && { taskType, model: answer.model, requestId: answer.requestId };
    } catch (error) {
      if (ctx.signal.aborted) return undefined;
      this.paused.set(ctx.principal.userId, true);
      this.tell(ctx, signal.aborted ? `no answer within ${this.timeoutMs} ms` : toAppError(error).message);
      return undefined;
    }
  }

  private tell({ requestId }: RequestContext, reason: string): void {
    this.logger.warn(`${toApiId('req', requestId)} is routed by the local classifier's answer: ${reason}`);
  }

  /** What the model leaves open goes to the local classifier's other types by their shares. */
  private refined(profile: TaskProfile, { taskType, ...told }: Verdict): TaskProfile {
    const local = [{ taskType: profile.taskType, confidence: profile.confidence }, ...profile.secondary];
    const others = local.filter((type) => type.taskType !== taskType);
    const sum = others.reduce((total, { confidence }) => total + confidence, 0);
    const left = 1 - this.accuracy;
    const secondary = others
      .map((type): SecondaryTaskType => ({ ...type, confidence: round((type.confidence / sum) * left) }))
      .filter(({ confidence }) => confidence >= MIN_SECONDARY_CONFIDENCE)
      .slice(0, MAX_SECONDARY);
    return Object.freeze({
      ...profile,
      taskType,
      confidence: this.accuracy,
      secondary: Object.freeze(secondary),
      source: 'semantic',
      semantic: Object.freeze({ ...told, taskType }),
    });
  }
}

function round(value: number): number {
  return Math.round(value * 1_000) / 1_000;
}
