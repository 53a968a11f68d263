import { PROVIDER_IDS, type ProviderId } from '../common/index';
import { NotFoundError } from '../errors/index';

/** Names that people use for a provider, besides its id. */
export const PROVIDER_ALIASES: Readonly<Record<string, ProviderId>> = {
  grok: 'xai',
  gemini: 'google',
  claude: 'anthropic',
  ollama: 'local',
};

export class UnknownProviderError extends NotFoundError {
  override readonly code = 'PROVIDER_UNKNOWN';
}

/**
 * The provider behind an id or an alias, in any case of letters.
 * @throws UnknownProviderError (404) listing the known names.
 */
export function resolveProviderName(name: string): ProviderId {
  const wanted = name.trim().toLowerCase();
  const known = PROVIDER_IDS.find((id) => id === wanted);
  const found = known ?? (Object.hasOwn(PROVIDER_ALIASES, wanted) ? PROVIDER_ALIASES[wanted] : undefined);
  if (found) return found;
  const aliases = Object.entries(PROVIDER_ALIASES).map(([alias, id]) => `${alias} (${id})`);
  throw new UnknownProviderError(
    `There is no provider "${name.slice(0, 64)}". Known: ${PROVIDER_IDS.join(', ')}; aliases: ${aliases.join(', ')}`,
    { param: 'provider' },
  );
}
