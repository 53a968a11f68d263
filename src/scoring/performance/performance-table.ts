import { shortHash } from '../../config/index';

/** What the ledger says of a model's recent attempts. Roundly, so that little changes do not make another table. */
export interface ModelPerformance {
  /** Median milliseconds until the first token of streamed answers; undefined: too few. */
  readonly firstTokenMs?: number;
  /**
   * Median completion tokens per second: after the first token where `firstTokenMs` is known, else of the whole time that
   * answers took. Undefined: too few.
   */
  readonly tokensPerSecond?: number;
  /** Share of attempts that the provider failed, 0..1, drawn towards 0 while there are few or when they are long ago. */
  readonly failureShare: number;
}

/** As it is stored; by model id. */
export type PerformanceContent = Readonly<Record<string, ModelPerformance>>;

const NOTHING_MEASURED = 'none';

/** Measured speed and failures by model id. Immutable. */
export class PerformanceTable {
  static readonly empty = new PerformanceTable(NOTHING_MEASURED, new Map());

  constructor(
    readonly version: string,
    private readonly models: ReadonlyMap<string, ModelPerformance>,
  ) {}

  /** The same content has the same version, whatever its order. */
  static of(content: PerformanceContent): PerformanceTable {
    const models = canonical(content);
    if (models.length === 0) return PerformanceTable.empty;
    return new PerformanceTable(shortHash(JSON.stringify(models)), new Map(models));
  }

  of(modelId: string): ModelPerformance | undefined {
    return this.models.get(modelId);
  }

  get content(): PerformanceContent {
    return Object.fromEntries(this.models);
  }
}

function canonical(content: PerformanceContent): [string, ModelPerformance][] {
  return Object.entries(content)
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([model, { firstTokenMs, tokensPerSecond, failureShare }]) => [
      model,
      { firstTokenMs, tokensPerSecond, failureShare },
    ]);
}
