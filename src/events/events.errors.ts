import { RateLimitedError } from '../errors/index';

/** 429: the user has as many event streams open as one may have, or as many follow the resource as may. */
export class TooManyEventStreamsError extends RateLimitedError {
  override readonly code = 'TOO_MANY_EVENT_STREAMS';
}
