import { Injectable } from '@nestjs/common';
import { type CatalogModel, CatalogService, ModelNotFoundError } from '../../catalog/index';
import { ConflictError, ValidationError } from '../../errors/index';
import { ModelAvailability } from '../model-availability';
import { requireKind } from '../model-kind';
import type { ExperimentArm } from './experiment';

/** Looks whether the models of arms can be called, by the installation's own means. */
@Injectable()
export class ArmModels {
  constructor(
    private readonly catalog: CatalogService,
    private readonly availability: ModelAvailability,
  ) {}

  /** The arms with the catalog ids of their models. @throws ValidationError naming the arm whose model is of no use */
  checked(arms: readonly ExperimentArm[]): readonly ExperimentArm[] {
    return arms.map((arm, index) =>
      arm.model === undefined ? arm : { ...arm, model: this.idOf(arm.model, `arms.${index}.model`) },
    );
  }

  /** @throws ConflictError naming the first model that was known and cannot be called now */
  refuseUncallable(arms: readonly ExperimentArm[]): void {
    const gone = arms.find(({ model }) => model !== undefined && !this.isCallable(this.catalog.find(model)));
    if (!gone) return;
    throw new ConflictError(`The model ${gone.model} of the arm ${gone.name} cannot be called now`, {
      param: 'arms',
    });
  }

  private idOf(name: string, param: string): string {
    const sellers = this.sellers(name, param);
    requireKind(sellers[0], 'chat', param);
    const callable = sellers.find((model) => this.isCallable(model));
    if (callable) return callable.id;
    throw new ValidationError(
      `The model ${name} cannot be called now: it is retired, or its provider or price is missing`,
      { param },
    );
  }

  private sellers(name: string, param: string): readonly CatalogModel[] {
    try {
      return this.catalog.resolve(name).models;
    } catch (cause) {
      if (!(cause instanceof ModelNotFoundError)) throw cause;
      throw new ValidationError(cause.message, { param, details: cause.details, cause });
    }
  }

  private isCallable(model: CatalogModel | undefined): boolean {
    return model !== undefined && this.availability.isCallable(model);
  }
}
