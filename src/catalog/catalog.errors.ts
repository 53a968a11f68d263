import { AppError } from '../errors/index';

/** The asked model is not in the catalog. Looks as OpenAI's own answer does, and names the nearest known ids. */
export class ModelNotFoundError extends AppError {
  override readonly code = 'model_not_found';
  override readonly status = 404;
  override readonly type = 'invalid_request_error';

  constructor(asked: string, nearest: readonly string[]) {
    const shown = asked.length > 100 ? `${asked.slice(0, 100)}…` : asked;
    const hint = nearest.length > 0 ? `; nearest known ids: ${nearest.join(', ')}` : '';
    super(`The model "${shown}" is not known${hint}. GET /v1/models lists all`, {
      param: 'model',
      details: { nearest },
    });
  }
}
