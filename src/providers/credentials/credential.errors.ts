import { type ProviderId, toApiId } from '../../common/index';
import { AppError } from '../../errors/index';

/**
 * The caller's own credential cannot be opened. Final: neither the installation's credential nor another provider takes
 * its place without the owner knowing.
 */
export class CredentialUnreadableError extends AppError {
  override readonly code = 'CREDENTIAL_UNREADABLE';
  override readonly status = 422;
  override readonly type = 'invalid_request_error';
  override readonly logLevel = 'error';

  constructor(provider: ProviderId, id: string) {
    const apiId = toApiId('crd', id);
    super(
      `Your credential for ${provider} cannot be opened: the installation's secret key has changed since it was stored. ` +
        `Set it again with PATCH /api/v1/credentials/${apiId}, or delete it`,
      { details: { provider, credentialId: apiId } },
    );
  }
}

/**
 * The provider refused the caller's own credential, now or lately. Final, for the same reason: it would be noticed on a
 * bill only.
 */
export class CredentialRejectedError extends AppError {
  override readonly code = 'CREDENTIAL_REJECTED';
  override readonly status = 422;
  override readonly type = 'invalid_request_error';

  /** @param refusal the provider's own words, or those of the breaker that remembers them */
  constructor(provider: ProviderId, id: string, refusal: AppError) {
    const apiId = toApiId('crd', id);
    super(
      `Your credential for ${provider} was refused (${refusal.message}), and nothing takes its place. Check the account ` +
        `behind it, or set another key with PATCH /api/v1/credentials/${apiId}, switch it off or delete it`,
      { details: { provider, credentialId: apiId }, cause: refusal },
    );
  }
}
