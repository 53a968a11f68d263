export * from './tool.port';
