/** What tools ask of local models. Whoever meters requests offers it; no tool calls a model by itself. */
import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../../common/index';

export interface LocalQuestion {
  /** As the local server names it, such as `llama3.2:3b`. */
  readonly model: string;
  readonly system?: string;
  readonly prompt: string;
}

export interface LocalAnswer {
  readonly text: string;
  /** Id in the catalog. */
  readonly model: string;
}

export interface LocalInference {
  /** Why no local model can be asked now, and what would help. */
  unavailableReason(): string | undefined;

  /** For the caller and the work of `ctx`, until its signal fires. @throws AppError */
  generate(ctx: RequestContext, question: LocalQuestion): Promise<LocalAnswer>;

  /** The vector of one text. @throws AppError */
  embed(ctx: RequestContext, model: string, text: string): Promise<readonly number[]>;
}

/** Where the implementation is found. */
@Injectable()
export class LocalModels {
  private inference?: LocalInference;

  /** Whoever meters requests offers itself at the start. */
  register(inference: LocalInference): void {
    this.inference = inference;
  }

  find(): LocalInference | undefined {
    return this.inference;
  }
}
