/** Regions outside the common partition live under a name of their own. */
const DNS_SUFFIXES: readonly (readonly [regionPrefix: string, suffix: string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
];
const RUNTIME_HOST = /^(https?:\/\/)bedrock-runtime(?=[.-])/;

export interface BedrockEndpoint {
  /** Where models are called, without a trailing slash. */
  readonly runtimeUrl: string;
  /** Where models are listed: a host of its own at Amazon, the same address behind a proxy. */
  readonly controlUrl: string;
}

/** A base URL goes before the region; it may be one of Amazon's own (FIPS, VPC endpoints) or a proxy's. */
export function bedrockEndpoint(baseUrl: string | undefined, region: string): BedrockEndpoint {
  const runtimeUrl = (baseUrl ?? regionalUrl(region)).replace(/\/+$/, '');
  return { runtimeUrl, controlUrl: runtimeUrl.replace(RUNTIME_HOST, '$1bedrock') };
}

function regionalUrl(region: string): string {
  const suffix = DNS_SUFFIXES.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'amazonaws.com';
  return `https://bedrock-runtime.${region}.${suffix}`;
}
