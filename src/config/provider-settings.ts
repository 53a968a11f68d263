import type { ProviderId } from '../common/index';
import type { EnvDto } from './env.dto';

/** What the environment says of one provider. */
export interface ProviderSettings {
  readonly apiKey?: string;
  readonly baseUrl?: string;
  /** True when this provider was named in the environment at all; a base URL without a key counts. */
  readonly isConfigured: boolean;
  /** The variables that would enable it, for messages. */
  readonly variables: readonly string[];
  readonly apiVersion?: string;
  readonly aws?: AwsCredentials;
}

/** They sign each request. */
export interface AwsKeys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
}

/** An API key of Bedrock, sent as it is. */
export interface AwsApiKey {
  readonly apiKey: string;
  /** Needed where no base URL takes the place of the region's address. */
  readonly region?: string;
}

export type AwsCredentials = AwsKeys | AwsApiKey;

function keyed(variables: readonly string[], apiKey?: string, baseUrl?: string): ProviderSettings {
  return { apiKey, baseUrl, isConfigured: Boolean(apiKey || baseUrl), variables };
}

function azure(vars: EnvDto): ProviderSettings {
  const apiKey = vars.AZURE_OPENAI_API_KEY;
  const baseUrl = vars.AZURE_BASE_URL ?? vars.AZURE_OPENAI_ENDPOINT;
  return {
    ...keyed(['AZURE_OPENAI_API_KEY', 'AZURE_OPENAI_ENDPOINT'], apiKey, baseUrl),
    isConfigured: Boolean(vars.AZURE_BASE_URL) || Boolean(apiKey && baseUrl),
    apiVersion: vars.AZURE_OPENAI_API_VERSION,
  };
}

function bedrock(vars: EnvDto): ProviderSettings {
  const aws = awsCredentials(vars);
  return {
    baseUrl: vars.BEDROCK_BASE_URL,
    isConfigured: Boolean(aws || vars.BEDROCK_BASE_URL),
    variables: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'],
    aws,
  };
}

/** The API key goes before the others, as in AWS's own clients. */
function awsCredentials(vars: EnvDto): AwsCredentials | undefined {
  const { AWS_BEARER_TOKEN_BEDROCK: apiKey, AWS_REGION: region } = vars;
  if (apiKey && (region || vars.BEDROCK_BASE_URL)) return { apiKey, region };
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = vars;
  if (!accessKeyId || !secretAccessKey || !region) return undefined;
  return { accessKeyId, secretAccessKey, sessionToken: vars.AWS_SESSION_TOKEN, region };
}

function dial(vars: EnvDto): ProviderSettings {
  const baseUrl = vars.DIAL_BASE_URL ?? vars.DIAL_API_URL;
  return {
    ...keyed(['DIAL_API_KEY', 'DIAL_API_URL'], vars.DIAL_API_KEY, baseUrl),
    isConfigured: Boolean(vars.DIAL_BASE_URL) || Boolean(vars.DIAL_API_KEY && baseUrl),
  };
}

/** Settings of every provider; a provider that is not configured still names the variables that would enable it. */
export function providerSettings(vars: EnvDto): Readonly<Record<ProviderId, ProviderSettings>> {
  return {
    openai: keyed(['OPENAI_API_KEY'], vars.OPENAI_API_KEY, vars.OPENAI_BASE_URL),
    anthropic: keyed(['ANTHROPIC_API_KEY'], vars.ANTHROPIC_API_KEY, vars.ANTHROPIC_BASE_URL),
    google: keyed(['GOOGLE_API_KEY'], vars.GOOGLE_API_KEY, vars.GOOGLE_BASE_URL),
    xai: keyed(['XAI_API_KEY'], vars.XAI_API_KEY, vars.XAI_BASE_URL),
    cohere: keyed(['COHERE_API_KEY'], vars.COHERE_API_KEY, vars.COHERE_BASE_URL),
    azure: azure(vars),
    bedrock: bedrock(vars),
    local: keyed(['OLLAMA_BASE_URL'], undefined, vars.OLLAMA_BASE_URL),
    dial: dial(vars),
    sandbox: { isConfigured: false, variables: ['LATTICE_SANDBOX=on'] },
  };
}
