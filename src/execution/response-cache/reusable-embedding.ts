import type { JsonObject } from '../../common/index';
import { embeddingDecision, type PlannedModel } from '../../selection/index';
import { completionMeta } from '../completion-meta';
import type { Embedding } from '../embedding';
import type { EmbeddingState } from '../embedding-state';
import type { Flight } from './flight';
import { type KeptAnswer, keptText } from './kept-answer';
import type { Carried, ReusableWork } from './reusable-work';

type Vectors = Pick<Embedding, 'vectors' | 'modelServed'>;

/** Vectors that may be given again: the same text has the same ones. */
export class ReusableEmbedding implements ReusableWork<Embedding> {
  readonly refusal = undefined;

  constructor(
    readonly state: EmbeddingState,
    private readonly work: (state: EmbeddingState) => Promise<Embedding>,
  ) {}

  identity(): readonly unknown[] {
    const { fallback: _fallback, useDirect: _useDirect, cache: _cache, ...asked } = this.state.request;
    return ['embedding', asked];
  }

  decision(): JsonObject {
    return embeddingDecision(this.state.plan, this.state.request);
  }

  async alone(): Promise<Embedding> {
    return await this.work(this.state);
  }

  async carryOut(flight: Flight): Promise<Carried<Embedding>> {
    const state = this.state.under(flight.signal);
    const result = await this.work(state);
    const facts = state.factsOf(result.meta.model);
    return { result, answer: facts && keptText(facts, textOf(result)) };
  }

  /** Its client has got nothing yet. */
  detach(): void {}

  async giveAgain(planned: PlannedModel, { bytes, usage }: KeptAnswer): Promise<Embedding> {
    const { encoding } = this.state.request;
    const totals = { costPicoUsd: 0n, attempts: 0, usage };
    const kept = JSON.parse(bytes.toString()) as Vectors;
    return { meta: completionMeta(this.state, planned), totals, encoding, ...kept };
  }
}

/** As JSON, a vector at a time. */
function* textOf({ modelServed, vectors }: Vectors): Generator<string> {
  yield `{"modelServed":${JSON.stringify(modelServed)},"vectors":[`;
  for (const [index, vector] of vectors.entries()) {
    yield index === 0 ? JSON.stringify(vector) : `,${JSON.stringify(vector)}`;
  }
  yield ']}';
}
