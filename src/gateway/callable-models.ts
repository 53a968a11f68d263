import { Injectable } from '@nestjs/common';
import { type CatalogModel, CatalogService } from '../catalog/index';
import { ModelAvailability } from '../selection/index';
import type { ModelDto } from './dto/model.response.dto';

/** The instant that OpenAI's shape wants as `created`; Lattice does not know when a model was made. */
const CREATED = 1_790_000_000;
const ROUTED = ['auto', 'auto:cheap', 'auto:best', 'auto:fast'];

/** What a client may write as `model` right now. */
@Injectable()
export class CallableModels {
  constructor(
    private readonly catalog: CatalogService,
    private readonly availability: ModelAvailability,
  ) {}

  list(): ModelDto[] {
    const callable = this.catalog.list().filter((model) => this.availability.isCallable(model));
    if (callable.length === 0) return [];
    return [
      ...ROUTED.map((id) => ({ id, object: 'model' as const, created: CREATED, owned_by: 'lattice' })),
      ...callable.map(toDto),
    ];
  }

  find(id: string): ModelDto | undefined {
    return this.list().find((model) => model.id === id) ?? this.byName(id);
  }

  private byName(id: string): ModelDto | undefined {
    const model = this.catalog.resolve(id).models.find((sold) => this.availability.isCallable(sold));
    return model && toDto(model);
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
