import type { CatalogModel, ModelTimeouts } from '../../../src/catalog/index';
import { aModel } from '../factories';

export const PATIENT: ModelTimeouts = {
  connectMs: 5_000,
  firstByteMs: 10_000,
  idleMs: 10_000,
  totalMs: 10_000,
};

/** A callable model with everything switched on; override what a case is about. */
export function catalogModel(overrides: Partial<CatalogModel> = {}): CatalogModel {
  const upstreamId = overrides.upstreamId ?? 'test-model-1';
  const { supports } = aModel();
  return aModel({
    id: `${overrides.provider ?? 'openai'}/${upstreamId}`,
    supports: { ...supports, reasoning: true },
    size: 'large',
    timeouts: PATIENT,
    ...overrides,
  });
}
