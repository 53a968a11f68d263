export * from './model';
export * from './price';
