export { AppConfig, type DefaultLimits, loadConfig } from './app-config';
export { ConfigModule } from './config.module';
export { EnvDto } from './env.dto';
export { KeyRing, type RingKey } from './key-ring';
export { packageRoot } from './package-root';
export type { ProviderSettings } from './provider-settings';
export { SecretKey } from './secret-key';
export { parseYaml, readYamlFile, shortHash, type YamlFile } from './yaml-file';
