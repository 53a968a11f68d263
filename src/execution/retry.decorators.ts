import { SetMetadata } from '@nestjs/common';
import type { RetryPolicy } from '../common/index';

export const RETRY_WITH = 'lattice:retry-with';
export const RETRYABLE = 'lattice:retryable';
export const DEADLINE_MS = 'lattice:deadline-ms';

/** On a metered route: the numbers of the attempt loop, in place of the defaults. */
export const RetryWith = (policy: RetryPolicy): MethodDecorator => SetMetadata(RETRY_WITH, policy);

/** On an idempotent handler that is not metered: failures of class `retry` are tried again. */
export const Retryable = (
  policy: RetryPolicy = { maxTries: 3, baseDelayMs: 50, maxDelayMs: 1000 },
): MethodDecorator => SetMetadata(RETRYABLE, policy);

/** The most a request may take, in milliseconds. */
export const Deadline = (deadlineMs: number): MethodDecorator & ClassDecorator =>
  SetMetadata(DEADLINE_MS, deadlineMs);
