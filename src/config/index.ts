export { AppConfig, type DefaultLimits, loadConfig } from './app-config';
export { ConfigModule } from './config.module';
export { EnvDto, LATTICE_ENVS, type LatticeEnv } from './env.dto';
export { KeyRing, type RingKey } from './key-ring';
export { packageRoot } from './package-root';
export type { ProviderSettings } from './provider-settings';
export { SecretKey, SECRET_KEY_MIN_LENGTH } from './secret-key';
export { parseYaml, readYamlFile, shortHash, type YamlFile } from './yaml-file';
