export * from './tool.port';
export { ToolRegistry } from './tool-registry';
export { ToolRunner, type ToolCall, type ToolOutcome } from './tool-runner.service';
export { ToolsModule } from './tools.module';
