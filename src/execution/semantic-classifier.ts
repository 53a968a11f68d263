import { Injectable, type OnModuleInit } from '@nestjs/common';
import {
  type ClassifierAnswer,
  type ClassifierModel,
  type ClassifierQuestion,
  ROUTER_AGENT,
  SemanticRouter,
} from '../analysis/index';
import { type ChatRequest, newId, type RequestContext } from '../common/index';
import { AppConfig } from '../config/index';
import { CompletionPipeline } from './completion.pipeline';
import { completionText } from './completion-text';

/** Room for the name of a kind, also from models that think a little first. */
const MAX_TOKENS = 200;
const ONE_TRY = Object.freeze({ maxTries: 1, baseDelayMs: 0, maxDelayMs: 0 });

/**
 * Asks the installation's classifier model through the same metered door as every request: an admission, a hold and a usage
 * line of its own, for whoever the original request is from.
 */
@Injectable()
export class SemanticClassifier implements ClassifierModel, OnModuleInit {
  private readonly model?: string;

  constructor(
    config: AppConfig,
    private readonly pipeline: CompletionPipeline,
    private readonly router: SemanticRouter,
  ) {
    this.model = config.vars.CLASSIFIER_MODEL;
  }

  onModuleInit(): void {
    if (this.model !== undefined) this.router.register(this);
  }

  async ask(ctx: RequestContext, { system, user, useDirect }: ClassifierQuestion): Promise<ClassifierAnswer> {
    const body = {
      model: this.model ?? '',
      messages: [
        { role: 'system', content: system },
        { role: 'user', content: user },
      ],
      temperature: 0,
      max_tokens: MAX_TOKENS,
    } as const;
    const request: ChatRequest = {
      body,
      bodyBytes: Buffer.byteLength(JSON.stringify(body)),
      options: { tools: [], taskType: 'CLASSIFICATION', fallback: 'none', cache: 'off', useDirect },
    };
    const requestId = newId();
    const own = { ...ctx, requestId, retry: ONE_TRY, work: { ...ctx.work, agent: ROUTER_AGENT } };
    const completion = await this.pipeline.run(own, request);
    return { text: completionText(completion), model: completion.meta.model, requestId };
  }
}
