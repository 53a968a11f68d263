import { Injectable } from '@nestjs/common';
import type { EarlierResult } from '../../agents/index';
import type { ChatRequest, RequestContext } from '../../common/index';
import { AppConfig } from '../../config/index';
import { CompletionPipeline } from '../../execution/index';
import { contextShares, headAndTail } from './context-shares';
import { keptRound } from './round-request';
import { type Dependency, WorkRepository } from './work.repository';

/** A dependency whose result is too long, and how much of it there is room for. */
export type LongResult = {
  /** UUID of the task. */
  readonly id: string;
  /** Characters. */
  readonly share: number;
};

export type KeptSummary = { readonly text: string };

/** What a summarising model is given of a longer text, at the beginning and at the end each. */
const SOURCE_CHARS = 50_000;
const SUMMARY_MODEL = 'auto:cheap';
const CHARS_PER_TOKEN = 4;
const MIN_TOKENS = 64;
const MAX_TOKENS = 2048;
/** Characters. What a shorter summary could say is not worth a call. */
const MIN_SHARE = 1000;

const INSTRUCTION = `You shorten the result of a task, so that others can build on it. Keep every decision, name, number,
interface and open question; leave out explanations and repetition. Answer with the shortened text only.`;

export const summaryStep = (dependencyId: string): string => `earlier-${dependencyId}`;

/**
 * The results of the tasks that a task depends on, so that all of them together fit: long ones are summarised, and cut
 * in the middle where even that fails.
 */
@Injectable()
export class EarlierResults {
  constructor(
    private readonly work: WorkRepository,
    private readonly pipeline: CompletionPipeline,
    private readonly config: AppConfig,
  ) {}

  /** Those that are worth a summary; what is longer than its share without being worth one is cut. Pure. */
  tooLong(dependencies: readonly Dependency[]): readonly LongResult[] {
    const shares = this.shares(dependencies);
    return dependencies.flatMap(({ id, length }, index) => {
      const share = shares[index] ?? 0;
      return share < length && share >= MIN_SHARE ? [{ id, share }] : [];
    });
  }

  /**
   * Summarises one result by a metered call.
   * @param keep is given the summary before it is booked
   * @throws whatever the call throws
   */
  async summarise(
    ctx: RequestContext,
    { taskId, long }: { readonly taskId: string; readonly long: LongResult },
    keep: (summary: KeptSummary) => Promise<void>,
  ): Promise<void> {
    const source = await this.work.dependencyText(taskId, long.id, SOURCE_CHARS);
    if (!source) return;
    await this.pipeline.run(ctx, summaryRequest(source, long.share), undefined, async (answer) => {
      const { text } = keptRound(answer);
      if (text.trim() !== '') await keep({ text });
    });
  }

  /** Each within its share. @param summaries kept before, by the id of the dependency */
  async of(taskId: string, summaries: ReadonlyMap<string, KeptSummary>): Promise<readonly EarlierResult[]> {
    const dependencies = await this.work.dependencies(taskId);
    const shares = this.shares(dependencies);
    const texts = await this.work.dependencyTexts(taskId, Math.max(0, ...shares));
    return texts.map(({ id, title, text }, index) => {
      const share = shares[index] ?? 0;
      const isLong = (dependencies[index]?.length ?? 0) > share;
      return { title, output: isLong ? headAndTail(summaries.get(id)?.text ?? text, share) : text };
    });
  }

  private shares(dependencies: readonly Dependency[]): readonly number[] {
    return contextShares(
      dependencies.map(({ length }) => length),
      this.config.vars.TASK_CONTEXT_CHARS,
    );
  }
}

function summaryRequest({ title, text }: { title: string; text: string }, share: number): ChatRequest {
  const tokens = Math.max(MIN_TOKENS, Math.min(MAX_TOKENS, Math.floor(share / CHARS_PER_TOKEN)));
  const body = {
    model: SUMMARY_MODEL,
    messages: [
      { role: 'system' as const, content: INSTRUCTION },
      { role: 'user' as const, content: `In at most ${share} characters.\n\n# ${title}\n\n${text}` },
    ],
    max_tokens: tokens,
  };
  return {
    body,
    options: { tools: [], cache: 'off' },
    bodyBytes: Buffer.byteLength(JSON.stringify(body)),
  };
}
