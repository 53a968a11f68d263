import { ForbiddenError } from '../../errors/index';

/** The owner may do this, the API key may not. */
export class KeyScopeMissingError extends ForbiddenError {
  override readonly code = 'KEY_SCOPE_MISSING';

  constructor(permission: string) {
    super(
      `This API key lacks the scope "${permission}": use a key that has it, or let its owner add it after logging in.`,
      { details: { permission } },
    );
  }
}
