import type { TaskProfile } from '../../analysis/index';
import type { CatalogModel } from '../../catalog/index';
import { blendedQuality } from '../scorers/capability.scorer';

/** How good an answer is expected to be. */
export interface CapabilityEstimate {
  /** 0..1. */
  readonly quality: number;
  /** Standard deviation of `quality` as an estimate. */
  readonly deviation: number;
  /** Outcomes that it rests on; 0: the catalog's prior alone. */
  readonly observations: number;
}

/** What each model is expected to be worth for a task: the catalog's prior, moved by outcomes. Immutable. */
export class CapabilityTable {
  /** Nothing learned yet. */
  static readonly prior = new CapabilityTable('prior');

  constructor(readonly version: string) {}

  estimate(model: CatalogModel, profile: TaskProfile): CapabilityEstimate {
    return { quality: blendedQuality(model.scores, profile), deviation: 0, observations: 0 };
  }

  /** Is the prompt unlike all data sets that outcomes came from? Then nothing tells which model is good enough for it. */
  isNovel(_profile: TaskProfile): boolean {
    return false;
  }
}
