/** What the ledger says of a model's recent attempts. */
export interface ModelPerformance {
  /** Median milliseconds until the first token of streamed answers; undefined: too few. */
  readonly firstTokenMs?: number;
  /** Median completion tokens per second of whole answers; undefined: too few. */
  readonly tokensPerSecond?: number;
  /** Share of attempts that the provider failed, 0..1, drawn towards 0 while there are few. */
  readonly failureShare: number;
  readonly attempts: number;
}

/** Measured speed and failures by model id. Immutable. */
export class PerformanceTable {
  /** Nothing measured yet. */
  static readonly empty = new PerformanceTable('none', new Map());

  constructor(
    readonly version: string,
    private readonly models: ReadonlyMap<string, ModelPerformance>,
  ) {}

  of(modelId: string): ModelPerformance | undefined {
    return this.models.get(modelId);
  }
}
