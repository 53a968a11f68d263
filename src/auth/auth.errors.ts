import {
  ConflictError,
  type LogLevel,
  RateLimitedError,
  UnauthenticatedError,
  ValidationError,
} from '../errors/index';

/** Says nothing of the reason, so that nobody can ask which addresses have an account. */
export class RegistrationFailedError extends ValidationError {
  override readonly code = 'REGISTRATION_FAILED';
  override readonly logLevel: LogLevel = 'warn';

  constructor() {
    super(
      'The account could not be created. Log in if you already have one; ask an administrator whether registration is open or needs an invite; the first account of an installation needs its setup token.',
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

/** 400 and not 401: the caller is logged in, only the repeated password is wrong. */
export class WrongPasswordError extends ValidationError {
  override readonly code = 'WRONG_PASSWORD';
  override readonly logLevel: LogLevel = 'warn';

  constructor() {
    super('The current password is wrong.', { param: 'currentPassword' });
  }
}

/** Too many failures by one address or on one account; says nothing of whether the account exists. */
export class TooManyAttemptsError extends RateLimitedError {
  override readonly code = 'TOO_MANY_ATTEMPTS';

  constructor(until: Date) {
    super('Too many failed attempts. Wait until the time that Retry-After tells.', {
      retryAfterMs: Math.max(1000, until.getTime() - Date.now()),
    });
  }
}

/** Without an active administrator nobody could ever change anything again. */
export class LastAdministratorError extends ConflictError {
  override readonly code = 'LAST_ADMINISTRATOR';

  constructor() {
    super(
      'This is the last active administrator, who can be neither demoted, disabled nor deleted. Make another user an administrator first.',
    );
  }
}
