import { Injectable } from '@nestjs/common';
import { type CatalogModel, CatalogService } from '../catalog/index';
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
    return this.list(principal).find((model) => model.id === id) ?? this.byName(principal, id);
  }

  private byName(principal: Principal, id: string): ModelDto | undefined {
    const model = this.catalog.resolve(id).models.find((sold) => this.isCallable(principal, sold));
    return model && toDto(model);
  }

  private isCallable(principal: Principal, model: CatalogModel): boolean {
    return mayUse(principal, model) && this.availability.isCallable(model);
  }
}

function toDto(model: CatalogModel): ModelDto {
  return {
    id: model.id,
    object: 'model',
    created: CREATED,
    owned_by: model.provider,
    lattice: {
      displayName: model.displayName,
      contextWindowTokens: model.contextWindowTokens,
      maxOutputTokens: model.maxOutputTokens,
      input: [...model.input],
      supports: { ...model.supports },
      status: model.status,
      successor: model.successor,
    },
  };
}
