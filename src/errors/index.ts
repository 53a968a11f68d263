export * from './app-error';
export { ErrorResponseDto } from './error.response.dto';
export { ErrorBoundaryInterceptor } from './error-boundary.interceptor';
export { errorBody, errorResponse, type ErrorResponse } from './error-response';
export { ERROR_RAISED, ErrorFilter, type ErrorRaised } from './error.filter';
export { toServiceUnavailable } from './connection-errors';
export * from './errors';
export { ErrorsModule } from './errors.module';
export { toAppError } from './to-app-error';
