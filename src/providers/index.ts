export * from './provider.errors';
export * from './provider.port';
