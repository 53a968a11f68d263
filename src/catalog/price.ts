import type { PicoUsd } from '../common/index';

/** Prices of one token in pico-USD. Cached reads and cache writes fall back to the input price when absent. */
export interface TokenPrices {
  readonly inputPicoUsd: PicoUsd;
  readonly outputPicoUsd: PicoUsd;
  readonly cachedReadPicoUsd?: PicoUsd;
  readonly cacheWritePicoUsd?: PicoUsd;
  readonly cacheWriteOneHourPicoUsd?: PicoUsd;
}

/** From `fromPromptTokens` prompt tokens on, these prices hold for the whole request. */
export interface PriceTier extends TokenPrices {
  readonly fromPromptTokens: number;
}

/** What one model costs at one time. */
export interface ModelPrices {
  readonly prices: TokenPrices;
  /** Ascending by `fromPromptTokens`. */
  readonly tiers: readonly PriceTier[];
}

/** One row of the price book. Never changed; a new price is a new version. */
export interface PriceVersion extends ModelPrices {
  /** Serial number in the database; every usage line names it. */
  readonly version: number;
  readonly model: string;
  /** `genai-prices@0.1.8`, `catalog` (it stands in the YAML), `operator` (set over REST) or `local` (found, free). */
  readonly source: string;
  readonly validFrom: Date;
  /** Absent while the price is in force. */
  readonly validTo?: Date;
}
