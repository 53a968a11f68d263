export { OperationsModule } from './operations.module';
export { ReadinessService } from './readiness.service';
export { VERSION } from './version';
