import { ValidationPipe } from '@nestjs/common';
import type { ValidationError as FieldError } from 'class-validator';
import { ValidationError } from './errors/index';

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

/** Checks our own DTOs: fields nobody declared are refused by name, and the first problem is the error's `param`. */
export function validationPipe(): ValidationPipe {
  return new ValidationPipe({
    transform: true,
    whitelist: true,
    forbidNonWhitelisted: true,
    forbidUnknownValues: true,
    validationError: { target: false, value: false },
    exceptionFactory: (errors) => {
      const problems = problemsOf(errors);
      return new ValidationError(problems.map((problem) => problem.reason).join('; '), {
        param: problems[0]?.param,
        details: { problems },
      });
    },
  });
}
