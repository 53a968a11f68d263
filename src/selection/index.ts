export * from './execution-plan';
