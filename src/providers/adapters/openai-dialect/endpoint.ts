import type { ProviderId } from '../../../common/index';
import type { ProviderSettings } from '../../../config/index';

/** Where and how one account of the dialect is called. Built once per adapter. */
export interface Endpoint {
  readonly origin: string;
  /** Path and query of the chat call for a model or deployment. */
  chatPath(upstreamId: string): string;
  /** Path and query of the Responses API, which takes models and deployments by name; undefined: not spoken here. */
  readonly responsesPath?: string;
  /** Path and query of the embeddings call for a model or deployment. */
  embeddingsPath(upstreamId: string): string;
  /** Path and query of the call that lists what the account can use. */
  readonly modelsPath: string;
  /** Names and values in turn: the credential and what never changes. */
  readonly headers: readonly string[];
  /**
   * Must a stream be asked for its usage (`stream_options.include_usage`), where the catalog says nothing else? DIAL
   * requires its deployments to tell it unasked, and some answer the question with 400 (epam/ai-dial#338).
   */
  readonly asksStreamUsage: boolean;
}

const OPENAI_URL = 'https://api.openai.com/v1';
const XAI_URL = 'https://api.x.ai/v1';
/** The newest dated version that Azure calls generally available. */
const DEFAULT_API_VERSION = '2024-10-21';

/**
 * The base URL rules, the same as those of the vendors' SDKs where they agree:
 * - openai, xai, local and anything compatible: a bare origin gets `/v1`; a URL with a path is taken as it is.
 * - azure: `…/openai/v1` is the versionless API; anything else gets `/openai/deployments/{deployment}` and `api-version`.
 * - dial: always `/openai/deployments/{deployment}` and `api-version`.
 * A trailing slash does not matter, and a query in the base URL is kept.
 */
export function endpointOf(provider: ProviderId, settings: ProviderSettings): Endpoint {
  if (provider === 'azure') return azureEndpoint(settings);
  if (provider === 'dial') return deploymentEndpoint(settings, 'api-key', false);
  const url = new URL(settings.baseUrl ?? (provider === 'xai' ? XAI_URL : OPENAI_URL));
  const base = pathOf(url) || '/v1';
  return plainEndpoint(
    url,
    base,
    credential('authorization', settings.apiKey && `Bearer ${settings.apiKey}`),
  );
}

function azureEndpoint(settings: ProviderSettings): Endpoint {
  const url = requiredUrl(settings);
  const base = pathOf(url);
  const { apiVersion } = settings;
  if (!base.endsWith('/v1')) {
    const responsesPath = `${base.replace(/\/openai$/, '')}/openai/v1/responses${versionlessQuery(url, apiVersion)}`;
    return { ...deploymentEndpoint(settings, 'api-key', true), responsesPath };
  }
  if (isVersionWord(apiVersion)) url.searchParams.set('api-version', apiVersion);
  return plainEndpoint(url, base, credential('api-key', settings.apiKey));
}

/** Azure has the Responses API in its versionless API only. */
function versionlessQuery(url: URL, apiVersion: string | undefined): string {
  const query = new URLSearchParams(url.searchParams);
  const version = query.get('api-version') ?? apiVersion;
  query.delete('api-version');
  if (isVersionWord(version)) query.set('api-version', version);
  return query.size > 0 ? `?${query.toString()}` : '';
}

/** The versionless API takes no dated versions, only words such as `preview`. */
function isVersionWord(version: string | undefined): version is string {
  return version !== undefined && version !== '' && !/^\d/.test(version);
}

function plainEndpoint(url: URL, base: string, headers: readonly string[]): Endpoint {
  const chat = `${base}/chat/completions${url.search}`;
  const embeddings = `${base}/embeddings${url.search}`;
  return {
    origin: url.origin,
    chatPath: () => chat,
    responsesPath: `${base}/responses${url.search}`,
    embeddingsPath: () => embeddings,
    modelsPath: `${base}/models${url.search}`,
    headers,
    asksStreamUsage: true,
  };
}

function deploymentEndpoint(
  settings: ProviderSettings,
  keyHeader: string,
  asksStreamUsage: boolean,
): Endpoint {
  const url = requiredUrl(settings);
  const base = pathOf(url).replace(/\/openai$/, '');
  if (!url.searchParams.has('api-version')) {
    url.searchParams.set('api-version', settings.apiVersion ?? DEFAULT_API_VERSION);
  }
  const paths = new Map<string, string>();
  return {
    origin: url.origin,
    chatPath: (upstreamId) => {
      const known = paths.get(upstreamId);
      if (known !== undefined) return known;
      const path = `${base}/openai/deployments/${encodeURIComponent(upstreamId)}/chat/completions${url.search}`;
      paths.set(upstreamId, path);
      return path;
    },
    embeddingsPath: (upstreamId) =>
      `${base}/openai/deployments/${encodeURIComponent(upstreamId)}/embeddings${url.search}`,
    modelsPath: `${base}/openai/models${url.search}`,
    headers: credential(keyHeader, settings.apiKey),
    asksStreamUsage,
  };
}

function requiredUrl(settings: ProviderSettings): URL {
  if (!settings.baseUrl) throw new Error(`A base URL is needed: set ${settings.variables.join(' and ')}`);
  return new URL(settings.baseUrl);
}

function pathOf(url: URL): string {
  return url.pathname.replace(/\/+$/, '');
}

function credential(name: string, value: string | undefined): readonly string[] {
  return value ? [name, value] : [];
}
