import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import { CACHING_OPTIONS } from '../common/index';

/** The request headers that every inference route takes, for the API's description; lattice-options.ts reads them. */
export const ApiExecutionHeaders = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'x-lattice-use-direct',
      required: false,
      description: '`false`: by the command of scripts.yaml or not at all; `true` (default)',
    }),
    ApiHeader({
      name: 'x-lattice-cache',
      required: false,
      enum: CACHING_OPTIONS,
      description:
        'May the answer be one that an identical deterministic request of yours got before, free of charge? Default: what the key says. `refresh` asks anew and keeps the answer',
    }),
  );

/** Those of the routes that take part in a conversation. */
export const ApiChatHeaders = (): MethodDecorator =>
  applyDecorators(
    ApiHeader({
      name: 'x-lattice-task-type',
      required: false,
      description: 'Overrides the recognised task type',
    }),
    ApiHeader({
      name: 'x-lattice-fallback',
      required: false,
      description: '`any`, `none` or `same-model` (default)',
    }),
    ApiExecutionHeaders(),
  );
