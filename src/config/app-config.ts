import path from 'node:path';
import { plainToInstance } from 'class-transformer';
import { validateSync } from 'class-validator';
import { commaList, parseUsd, type PicoUsd, type ProviderId } from '../common/index';
import { ConfigurationError, SecurityConfigurationError } from '../errors/index';
import { EnvDto, type LatticeEnv } from './env.dto';
import { KeyRing } from './key-ring';
import { type McpServers, readMcpServers } from './mcp-file';
import { packageRoot } from './package-root';
import { providerSettings, type ProviderSettings } from './provider-settings';
import { readScripts, type Scripts } from './scripts-file';
import { previousSecretKeys, resolveSecretKey, type SecretKey } from './secret-key';

/** What a user and the whole installation may ask per hour where no limit of their own is set; undefined: no limit. */
export interface DefaultLimits {
  readonly userPerHour?: number;
  readonly globalPerHour?: number;
}

const PRODUCTION_USER_PER_HOUR = 100;
const PRODUCTION_GLOBAL_PER_HOUR = 10_000;

/** The validated configuration of this process. Read from the environment once, at boot; frozen. */
export class AppConfig {
  readonly env: LatticeEnv;
  readonly isProduction: boolean;
  readonly host: string;
  readonly port: number;
  readonly dataDir: string;
  /** Folders that hold YAML configuration, the administrator's first. */
  readonly configDirs: readonly string[];
  readonly databaseUrl?: string;
  readonly databasePoolSize: number;
  readonly secretKey: SecretKey;
  /** Keys for signing and sealing, one per purpose, derived from the secret key and those before it. */
  readonly keys: KeyRing;
  readonly defaultLimits: DefaultLimits;
  /** Origins that browsers may call from; `*` for all. Empty: CORS is closed. */
  readonly corsOrigins: readonly string[];
  /** As Fastify's `trustProxy` takes it. */
  readonly trustProxy: false | string[];
  /** `host` or `host:port`, lower-case: private addresses that user-set URLs may reach. */
  readonly outboundAllowedHosts: readonly string[];
  readonly degradedFloatPicoUsd: PicoUsd;
  readonly admin?: { readonly email: string; readonly password: string };
  readonly providers: Readonly<Record<ProviderId, ProviderSettings>>;
  /** May this process call providers itself? */
  readonly isDirectAllowed: boolean;
  /** The commands that may call providers in its place. */
  readonly scripts: Scripts;
  /** The administrator's MCP servers. */
  readonly mcpServers: McpServers;

  constructor(readonly vars: Readonly<EnvDto>) {
    refuseOpenAdministration(vars);
    this.env = vars.LATTICE_ENV;
    this.isProduction = vars.LATTICE_ENV === 'production';
    this.host = vars.HOST ?? (this.isProduction ? '0.0.0.0' : '127.0.0.1');
    this.port = vars.PORT;
    this.dataDir = path.resolve(vars.DATA_DIR);
    const builtIn = path.join(packageRoot(), 'config');
    this.configDirs = vars.LATTICE_CONFIG_DIR ? [path.resolve(vars.LATTICE_CONFIG_DIR), builtIn] : [builtIn];
    this.databaseUrl = vars.DATABASE_URL;
    this.databasePoolSize = vars.DATABASE_POOL_SIZE;
    this.secretKey = resolveSecretKey(vars, this.dataDir);
    this.keys = new KeyRing(this.secretKey, previousSecretKeys(vars));
    this.defaultLimits = defaultLimits(vars, this.isProduction);
    this.corsOrigins = commaList(vars.CORS_ORIGINS);
    this.trustProxy = vars.TRUST_PROXY === undefined ? false : commaList(vars.TRUST_PROXY);
    this.outboundAllowedHosts = commaList(vars.OUTBOUND_ALLOWED_HOSTS).map((host) => host.toLowerCase());
    this.degradedFloatPicoUsd = parseUsd(vars.DEGRADED_FLOAT_USD);
    this.admin = adminAccount(vars);
    this.providers = providerSettings(vars);
    this.isDirectAllowed = vars.LATTICE_USE_DIRECT === 'true';
    this.scripts = readScripts(this.configDirs);
    this.mcpServers = readMcpServers(this.configDirs);
    Object.freeze(this);
  }

  get isSandboxAllowed(): boolean {
    if (this.vars.LATTICE_SANDBOX === 'on') return true;
    return this.vars.LATTICE_SANDBOX === 'auto' && !this.isProduction;
  }
}

function defaultLimits(vars: EnvDto, isProduction: boolean): DefaultLimits {
  const user = vars.RATE_LIMIT_USER_PER_HOUR ?? (isProduction ? PRODUCTION_USER_PER_HOUR : 0);
  const global = vars.RATE_LIMIT_GLOBAL_PER_HOUR ?? (isProduction ? PRODUCTION_GLOBAL_PER_HOUR : 0);
  return Object.freeze({ userPerHour: user || undefined, globalPerHour: global || undefined });
}

/** Whoever finds the address would be an administrator. Outside production, where one plays alone, that is allowed. */
function refuseOpenAdministration(vars: EnvDto): void {
  if (vars.LATTICE_ENV !== 'production') return;
  if (vars.AUTH_REGISTRATION !== 'open' || vars.AUTH_DEFAULT_ROLE !== 'admin') return;
  throw new SecurityConfigurationError(
    'AUTH_DEFAULT_ROLE=admin with AUTH_REGISTRATION=open makes everybody who registers an administrator. Set AUTH_DEFAULT_ROLE to operator or viewer, or AUTH_REGISTRATION to invite or closed.',
  );
}

function adminAccount(vars: EnvDto): { email: string; password: string } | undefined {
  const { LATTICE_ADMIN_EMAIL: email, LATTICE_ADMIN_PASSWORD: password } = vars;
  if (!email && !password) return undefined;
  if (!email || !password) {
    throw new ConfigurationError('LATTICE_ADMIN_EMAIL and LATTICE_ADMIN_PASSWORD must be set together');
  }
  return { email, password };
}

/**
 * Validates an environment. Empty strings count as unset.
 * @throws ConfigurationError naming each wrong variable and the rule it breaks, never its value.
 */
export function loadConfig(env: NodeJS.ProcessEnv = process.env): AppConfig {
  const known = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value !== ''),
  );
  const vars = plainToInstance(EnvDto, known, { exposeDefaultValues: true });
  const problems = validateSync(vars, {
    skipMissingProperties: false,
    validationError: { target: false, value: false },
  });
  if (problems.length > 0) {
    const rules = problems.map((problem) => Object.values(problem.constraints ?? {}).join(', '));
    throw new ConfigurationError(`The environment is not usable: ${rules.join('; ')}`);
  }
  return new AppConfig(Object.freeze(vars));
}
