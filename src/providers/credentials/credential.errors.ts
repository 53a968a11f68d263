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
