import { type ArgumentMetadata, ValidationPipe } from '@nestjs/common';
import type { ValidationError as FieldError } from 'class-validator';
import { ValidationError } from './errors/index';
import { unstorableField } from './unstorable-text';

interface Problem {
  readonly param: string;
  readonly reason: string;
}

/** Every broken rule with the path of its field, nested ones included. */
function problemsOf(errors: readonly FieldError[], parent = ''): Problem[] {
  return errors.flatMap((error) => {
    const param = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.values(error.constraints ?? {}).map((reason) => ({ param, reason }));
    return [...own, ...problemsOf(error.children ?? [], param)];
  });
}

function refused(problems: readonly Problem[]): ValidationError {
  return new ValidationError(problems.map((problem) => problem.reason).join('; '), {
    param: problems[0]?.param,
    details: { problems },
  });
}

/** Bodies in an open dialect (chat) do not come this way: prompts may hold any text. */
class RequestPipe extends ValidationPipe {
  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    const field = metadata.type === 'custom' ? undefined : unstorableField(value, metadata.data);
    if (field !== undefined) {
      const param = field || metadata.type;
      const reason = `${param} must be Unicode text without the NUL character (U+0000): remove it`;
      throw refused([{ param, reason }]);
    }
    return await super.transform(value, metadata);
  }
}

/** Checks our own DTOs: fields nobody declared are refused by name, and the first problem is the error's `param`. */
export function validationPipe(): ValidationPipe {
  return new RequestPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => refused(problemsOf(errors)),
  });
}
