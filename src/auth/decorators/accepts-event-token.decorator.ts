import { SetMetadata } from '@nestjs/common';

export const EVENT_TOKEN_PARAM = 'lattice:event-token-param';

/**
 * Opens a route to event tokens in the URL (`?token=…`) when no credential header was sent: a browser's EventSource can
 * send none. The token must have been given for exactly what stands in the path parameter.
 */
export const AcceptsEventToken = (param: string): MethodDecorator => SetMetadata(EVENT_TOKEN_PARAM, param);
