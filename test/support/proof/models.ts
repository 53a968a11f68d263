/** The models of the proofs: differently priced, with tiers and cache prices, all sold by the truth provider. */
import { catalogFolder, modelsYaml } from '../catalog/catalog-folder';
import type { ListPrice } from './price-oracle';

export interface ProofModel {
  readonly id: string;
  readonly upstreamId: string;
  readonly price: ListPrice;
}

/** How long the models wait for the provider, in milliseconds. */
export interface Patience {
  readonly firstByteMs: number;
  readonly idleMs: number;
  readonly totalMs: number;
}

const PATIENT: Patience = { firstByteMs: 30_000, idleMs: 30_000, totalMs: 60_000 };

function aModel(name: string, price: ListPrice): ProofModel {
  return { id: `openai/${name}`, upstreamId: name, price };
}

export const CHEAP = aModel('proof-cheap', { input: '0.000001', output: '0.000003' });

export const MIDDLE = aModel('proof-middle', {
  input: '0.150001',
  output: '0.600007',
  cachedRead: '0.037',
  tiers: [
    { fromPromptTokens: 40, input: '0.310003', output: '1.100009', cachedRead: '0.081' },
    { fromPromptTokens: 90, input: '0.700013', output: '2.3' },
  ],
});

export const DEAR = aModel('proof-dear', { input: '75.000017', output: '600.000029', cachedRead: '7.5' });

export const PROOF_MODELS: readonly ProofModel[] = [CHEAP, MIDDLE, DEAR];

/** A configuration folder that adds the models of the proofs to the catalog. */
export function proofModelsFolder(patience: Patience = PATIENT): string {
  const { firstByteMs, idleMs, totalMs } = patience;
  const timeouts = `timeouts: { connectMs: 30000, firstByteMs: ${firstByteMs}, idleMs: ${idleMs}, totalMs: ${totalMs} }`;
  const entries = PROOF_MODELS.map(({ id, price }) => {
    const limits =
      'contextWindowTokens: 100000, maxOutputTokens: 4000, speed: fast, size: small, supports: { tools: true, streaming: true, jsonSchema: true }';
    return `  - { id: '${id}', tier: any, ${limits}, ${timeouts}, price: ${JSON.stringify(price)} }\n`;
  });
  return catalogFolder({ 'proof.yaml': modelsYaml(...entries) });
}
