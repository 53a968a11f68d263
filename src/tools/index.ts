export * from './tool.port';
export { McpModule } from './mcp/mcp.module';
export { ToolRegistry } from './tool-registry';
export { ToolRunner, type ToolCall, type ToolOutcome } from './tool-runner.service';
export { ToolsModule } from './tools.module';
export { type FileOwner, fileOwner } from './files/file-owner';
export { type FileEntry, type FileList, type FilePart, ProjectFiles } from './files/project-files.service';
export {
  type LocalAnswer,
  type LocalInference,
  LocalModels,
  type LocalQuestion,
} from './local/local-inference';
