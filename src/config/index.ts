export { AppConfig, type DefaultLimits, loadConfig } from './app-config';
export { findConfigFile, shortHash } from './config-file';
export { ConfigModule } from './config.module';
export { EnvDto } from './env.dto';
export { KeyRing, type RingKey } from './key-ring';
export {
  MCP_SERVER_NAME,
  MCP_SERVER_NAME_RULE,
  mcpHeaders,
  type McpProgramSettings,
  type McpServers,
  type McpServerSettings,
  type McpUrlSettings,
} from './mcp-file';
export { packageRoot } from './package-root';
export type { AwsCredentials, AwsKeys, ProviderSettings } from './provider-settings';
export { scriptEnvironment, withoutValues } from './script-environment';
export { SCRIPTS_FILE, type Scripts, type ScriptSettings } from './scripts-file';
export { SecretKey } from './secret-key';
export { WatchedFile, type WatchedFileOptions } from './watched-file';
export { parseYaml, readYamlFile, type YamlFile } from './yaml-file';
