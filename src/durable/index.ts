export * from './durable-engine';
export { RunHandedOverError } from './durable.errors';
export { DurableModule } from './durable.module';
export { DurableWorker } from './durable-worker.service';
