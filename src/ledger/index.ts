export * from './ledger.types';
