import { type LogLevel, UnauthenticatedError, ValidationError } from '../errors/index';

/** Says nothing of the reason, so that nobody can ask which addresses have an account. */
export class RegistrationFailedError extends ValidationError {
  override readonly code = 'REGISTRATION_FAILED';
  override readonly logLevel: LogLevel = 'warn';

  constructor() {
    super(
      'The account could not be created. Log in if you already have one; the first account of an installation needs its setup token.',
    );
  }
}

export class InvalidCredentialsError extends UnauthenticatedError {
  override readonly code = 'INVALID_CREDENTIALS';

  constructor() {
    super('The email or the password is wrong.');
  }
}

export class InvalidRefreshTokenError extends UnauthenticatedError {
  override readonly code = 'INVALID_REFRESH_TOKEN';

  constructor() {
    super('The refresh token is unknown, used or expired. Log in again.');
  }
}
