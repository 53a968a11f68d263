import { hash } from 'node:crypto';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type ChatRequest, newId, type RequestContext } from '../common/index';
import { ProviderRegistry } from '../providers/index';
import { type LocalAnswer, type LocalInference, LocalModels, type LocalQuestion } from '../tools/index';
import { CompletionPipeline } from './completion.pipeline';
import { completionText } from './completion-text';
import { EmbeddingPipeline } from './embedding.pipeline';
import { encodeVector } from './vector';

const PROVIDER = 'local';
/** Whoever called the tool decides whether it is called again. */
const ONE_TRY = Object.freeze({ maxTries: 1, baseDelayMs: 0, maxDelayMs: 0 });

/**
 * Asks local models for tools through the same metered door as every request: an admission, a hold and usage lines of its
 * own, for the caller and the work that the tool was called for.
 */
@Injectable()
export class MeteredLocalInference implements LocalInference, OnModuleInit {
  constructor(
    private readonly pipeline: CompletionPipeline,
    private readonly embeddings: EmbeddingPipeline,
    private readonly providers: ProviderRegistry,
    private readonly localModels: LocalModels,
  ) {}

  onModuleInit(): void {
    this.localModels.register(this);
  }

  unavailableReason(): string | undefined {
    const local = this.providers.availability().find(({ provider }) => provider === PROVIDER);
    return local?.state === 'available' ? undefined : (local?.detail ?? 'there are no local models');
  }

  async generate(ctx: RequestContext, { model, system, prompt }: LocalQuestion): Promise<LocalAnswer> {
    const messages: ChatRequest['body']['messages'] = [
      ...(system === undefined ? [] : [{ role: 'system', content: system } as const]),
      { role: 'user', content: prompt },
    ];
    const body = { model: `${PROVIDER}/${model}`, messages };
    const text = JSON.stringify(body);
    const options = { tools: [], fallback: 'none', cache: 'off' } as const;
    const request: ChatRequest = { body, bodyBytes: Buffer.byteLength(text), options };
    const completion = await this.pipeline.run(nested(ctx, text), request);
    return { text: completionText(completion), model: completion.meta.model };
  }

  async embed(ctx: RequestContext, model: string, text: string): Promise<readonly number[]> {
    const { vectors } = await this.embeddings.run(nested(ctx, text), {
      model: `${PROVIDER}/${model}`,
      inputs: [text],
      encoding: 'float',
      extra: {},
      fallback: 'none',
      cache: 'off',
    });
    const vector = encodeVector(vectors[0] ?? [], 'float');
    return typeof vector === 'string' ? [] : vector;
  }
}

/** A request of its own within the one that called the tool; a step that is begun again asks under the same key. */
function nested(ctx: RequestContext, question: string): RequestContext {
  const stepKey = ctx.stepKey && `${ctx.stepKey}.${hash('sha256', question).slice(0, 16)}`;
  return { ...ctx, requestId: newId(), retry: ONE_TRY, stepKey };
}
