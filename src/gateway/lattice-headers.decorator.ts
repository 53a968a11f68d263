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
    ApiHeader({
      name: 'x-lattice-quality',
      required: false,
      schema: { type: 'number', minimum: 0, maximum: 1 },
      description:
        'Quality target of a routed request, in place of its strategy: the cheapest model that is expected to be at least this share as good as the best one that can serve it. Default: your routing preferences',
    }),
    ApiHeader({
      name: 'x-lattice-answer-worth',
      required: false,
      schema: { type: 'number', minimum: 0 },
      description:
        'What an answer that fully succeeds is worth to you, in US dollars. A routed request goes where expected quality times that, less the expected cost, is highest; with a quality target, among the models that hold it',
    }),
    ApiExecutionHeaders(),
  );
