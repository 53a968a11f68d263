import { Module } from '@nestjs/common';
import { ErrorBoundaryInterceptor } from './error-boundary.interceptor';
import { ErrorFilter } from './error.filter';

@Module({
  providers: [ErrorFilter, ErrorBoundaryInterceptor],
  exports: [ErrorFilter, ErrorBoundaryInterceptor],
})
export class ErrorsModule {}
