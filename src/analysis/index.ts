export * from './task-profile';
