import { Injectable } from '@nestjs/common';
import { type CatalogModel, CatalogService, type EmbeddingFacts, kindOf } from '../catalog/index';
import type { Principal } from '../common/index';
import { mayUse, ModelAvailability } from '../selection/index';
import type { ModelDto } from './dto/model.response.dto';

/** The instant that OpenAI's shape wants as `created`; Lattice does not know when a model was made. */
const CREATED = 1_790_000_000;
const ROUTED = ['auto', 'auto:cheap', 'auto:best', 'auto:fast'];

/** What a client may write as `model` right now; a key sees only the models that it may use. */
@Injectable()
export class CallableModels {
  constructor(
    private readonly catalog: CatalogService,
    private readonly availability: ModelAvailability,
  ) {}

  list(principal: Principal): ModelDto[] {
    const callable = this.catalog.list().filter((model) => this.isCallable(principal, model));
    if (callable.length === 0) return [];
    return [
      ...ROUTED.map((id) => ({ id, object: 'model' as const, created: CREATED, owned_by: 'lattice' })),
      ...callable.map(toDto),
    ];
  }

  find(principal: Principal, id: string): ModelDto | undefined {
    if (ROUTED.includes(id)) return this.list(principal).find((model) => model.id === id);
    const model = this.catalog.resolve(id).models.find((sold) => this.isCallable(principal, sold));
    return model && toDto(model);
  }

  private isCallable(principal: Principal, model: CatalogModel): boolean {
    return mayUse(principal, model) && this.availability.isCallable(model, principal.userId);
  }
}

function toDto(model: CatalogModel): ModelDto {
  return {
    id: model.id,
    object: 'model',
    created: CREATED,
    owned_by: model.provider,
    lattice: {
      kind: kindOf(model),
      displayName: model.displayName,
      contextWindowTokens: model.contextWindowTokens,
      maxOutputTokens: model.maxOutputTokens,
      input: [...model.input],
      supports: { ...model.supports },
      ...(model.embedding && { embedding: embeddingOf(model.embedding) }),
      status: model.status,
      successor: model.successor,
    },
  };
}

/** What a client has to know to ask for vectors; how requests are split is not his. */
function embeddingOf(facts: EmbeddingFacts): Partial<EmbeddingFacts> {
  const { dimensions, allowedDimensions, minDimensions, takesTokens, hasInputTypes } = facts;
  return { dimensions, allowedDimensions, minDimensions, takesTokens, hasInputTypes };
}
