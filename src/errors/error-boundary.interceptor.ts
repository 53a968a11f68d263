import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { catchError, type Observable, throwError } from 'rxjs';
import { toAppError } from './to-app-error';

/** The outermost interceptor: whatever a handler throws leaves it as a classified AppError, over HTTP and messages alike. */
@Injectable()
export class ErrorBoundaryInterceptor implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(catchError((thrown: unknown) => throwError(() => toAppError(thrown))));
  }
}
