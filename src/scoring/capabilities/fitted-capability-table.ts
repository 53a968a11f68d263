import type { TaskProfile } from '../../analysis/index';
import type { CatalogModel } from '../../catalog/index';
import { blendedQuality } from '../scorers/capability.scorer';
import { type CapabilityContent, checkedContent, type ModelContent } from './capability-content';
import { featuresOf } from './capability-features';
import { type CapabilityEstimate, CapabilityTable } from './capability-table';
import { AlikeExamples } from './alike-examples';
import { inPieces } from './in-pieces';
import { dot, type LowerHalf, quadraticForm } from './linear-algebra';
import type { OutcomeProfile } from './outcome-row';
import type { Neighbours } from './sketch-index';

/** So many of a model's outcomes with the prompts most alike are looked at. */
const NEIGHBOURS = 40;
/** In units of their likeness: how much it takes to move the estimate half of the way. */
const PRIOR_LIKENESS = 1.5;

interface FittedModel {
  readonly observations: number;
  readonly weights: Float64Array;
  readonly covariance: LowerHalf;
  readonly noise: number;
  /** By example; NaN where the model has no outcome. */
  readonly differences: Float64Array;
}

/** A task as it is read once, for all models. */
interface Reading {
  readonly features: Float64Array;
  readonly neighbours?: Neighbours;
  readonly isNovel: boolean;
}

/** Learned from outcomes. The same content, model and profile give the same estimate. */
export class FittedCapabilityTable extends CapabilityTable {
  private readonly readings = new WeakMap<TaskProfile, Reading>();

  private constructor(
    version: string,
    private readonly models: ReadonlyMap<string, FittedModel>,
    private readonly alike: AlikeExamples,
  ) {
    super(version);
  }

  /** The event loop goes on meanwhile. @param content as `fitCapabilities` made it. @throws Error when it is not. */
  static async parse(version: string, content: unknown): Promise<FittedCapabilityTable> {
    return await inPieces(FittedCapabilityTable.read(version, content));
  }

  private static *read(version: string, stored: unknown): Generator<void, FittedCapabilityTable> {
    const content = yield* checkedContent(stored);
    const models = yield* fittedModels(content);
    return new FittedCapabilityTable(version, models, yield* AlikeExamples.of(content.examples));
  }

  override estimate(model: CatalogModel, profile: TaskProfile): CapabilityEstimate {
    const known = this.models.get(model.baseModel) ?? this.models.get(model.id);
    if (!known) return super.estimate(model, profile);
    const { features, neighbours } = this.readingOf(profile);
    const prior = blendedQuality(model.scores, profile);
    const local = localDifference(known, neighbours);
    const quality = prior + dot(known.weights, features) + local.mean;
    const variance = quadraticForm(known.covariance, features) + local.variance;
    return {
      quality: Math.min(1, Math.max(0, quality)),
      deviation: Math.sqrt(variance),
      observations: known.observations,
    };
  }

  override isNovel(profile: TaskProfile): boolean {
    return this.readingOf(profile).isNovel;
  }

  private readingOf(profile: TaskProfile): Reading {
    const known = this.readings.get(profile);
    if (known) return known;
    const task = outcomeProfile(profile);
    const alike = task.sketch ? this.alike.find(task.sketch) : { isNovel: false };
    const reading = { features: featuresOf(task), ...alike };
    this.readings.set(profile, reading);
    return reading;
  }
}

/** What of a profile is kept with an outcome. */
export function outcomeProfile(profile: TaskProfile): OutcomeProfile {
  const { taskType, confidence, secondary, features, sketch } = profile;
  return {
    types: [{ taskType, confidence }, ...secondary],
    complexity: features.complexity,
    language: features.language,
    promptTokens: features.estimatedPromptTokens,
    hasCode: features.hasCode,
    ...(sketch && { sketch }),
  };
}

function* fittedModels({
  models,
  examples,
}: CapabilityContent): Generator<void, ReadonlyMap<string, FittedModel>> {
  const all = new Map<string, FittedModel>();
  for (const [name, model] of Object.entries(models)) {
    all.set(name, fitted(model, examples.length));
    yield;
  }
  for (const [place, { differences }] of examples.entries()) {
    for (const [name, difference] of Object.entries(differences)) {
      const model = all.get(name);
      if (model) model.differences[place] = difference;
    }
    yield;
  }
  return all;
}

/** Without differences yet. */
function fitted({ weights, covariance, ...model }: ModelContent, examples: number): FittedModel {
  const rows = weights.map((_, row) => {
    const start = (row * (row + 1)) / 2;
    return Float64Array.from(covariance.slice(start, start + row + 1));
  });
  return {
    observations: model.observations,
    weights: Float64Array.from(weights),
    covariance: rows,
    noise: model.noise,
    differences: new Float64Array(examples).fill(Number.NaN),
  };
}

/** What the model's outcomes with the prompts most alike differed by, drawn towards nothing. */
function localDifference({ differences, noise }: FittedModel, neighbours?: Neighbours) {
  let [likeness, sum, squares, found] = [PRIOR_LIKENESS, 0, 0, 0];
  const places = neighbours?.places ?? [];
  for (let at = 0; at < places.length && found < NEIGHBOURS; at += 1) {
    const difference = differences[places[at] as number] as number;
    if (Number.isNaN(difference)) continue;
    const similarity = neighbours?.similarities[at] ?? 0;
    likeness += similarity;
    sum += similarity * difference;
    squares += similarity * similarity;
    found += 1;
  }
  return { mean: sum / likeness, variance: (noise * squares) / (likeness * likeness) };
}
