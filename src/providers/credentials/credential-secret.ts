import { PROVIDER_IDS, type ProviderId } from '../../common/index';
import type { AwsCredentials, ProviderSettings } from '../../config/index';

/** What an owner brings: a key, or what AWS gives for Bedrock. Never an address. */
export type CredentialSecret = { readonly apiKey: string } | { readonly aws: AwsCredentials };

/** `local` and `sandbox` take no credential. */
export const CREDENTIAL_PROVIDERS: readonly ProviderId[] = PROVIDER_IDS.filter(
  (provider) => provider !== 'local' && provider !== 'sandbox',
);

/** Shorter keys would be given away by their end. */
const HINTED_FROM_CHARS = 20;
const HINT_CHARS = 4;

/** The end of the key, so that its owner recognises it; of AWS keys the id's, which is no secret. */
export function hintOf(secret: CredentialSecret): string | null {
  const credential = 'aws' in secret ? secret.aws : secret;
  if (!('apiKey' in credential)) return credential.accessKeyId.slice(-HINT_CHARS);
  const { apiKey } = credential;
  return apiKey.length >= HINTED_FROM_CHARS ? apiKey.slice(-HINT_CHARS) : null;
}

/** Is there an address that an owner's credential can be sent to? Azure and DIAL have none but the installation's. */
export function takesOwnCredential(provider: ProviderId, { baseUrl }: ProviderSettings): boolean {
  if (provider === 'azure' || provider === 'dial') return baseUrl !== undefined;
  return CREDENTIAL_PROVIDERS.includes(provider);
}

/** The installation's address with the owner's credential in the place of the installation's. */
export function ownSettings(installation: ProviderSettings, secret: CredentialSecret): ProviderSettings {
  const { baseUrl, apiVersion, variables } = installation;
  return { baseUrl, apiVersion, variables, isConfigured: true, ...secret };
}
