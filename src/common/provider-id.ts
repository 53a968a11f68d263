/** Every provider Lattice knows by name; `sandbox` is the labelled one that needs no account. */
export const PROVIDER_IDS = [
  'openai',
  'anthropic',
  'google',
  'xai',
  'cohere',
  'azure',
  'bedrock',
  'local',
  'dial',
  'sandbox',
] as const;
export type ProviderId = (typeof PROVIDER_IDS)[number];
