import type { ModelKind } from '../../../catalog/index';
import type { ProviderId } from '../../../common/index';
import type { Scripts } from '../../../config/index';
import type { AppLogger } from '../../../observability/index';
import type { ScriptAdapter } from './script.adapter';

type Adapter = typeof import('./script.adapter.js');

/** The commands of scripts.yaml as adapters, each made at its first use. */
export class ScriptAdapters {
  readonly #adapters = new Map<ProviderId, ScriptAdapter>();
  readonly #killAll = (): void => {
    for (const adapter of this.#adapters.values()) adapter.kill();
  };

  constructor(
    private readonly scripts: Scripts,
    private readonly logger: Pick<AppLogger, 'debug'>,
  ) {}

  /** Is there a command that does this kind of work? */
  has(provider: ProviderId, kind: ModelKind): boolean {
    return this.scripts[provider]?.kinds.includes(kind) === true;
  }

  /** Undefined where no command does this kind of work. */
  find(provider: ProviderId, kind: ModelKind): ScriptAdapter | undefined {
    if (!this.has(provider, kind)) return undefined;
    return this.#adapters.get(provider) ?? this.#build(provider);
  }

  /** Ends what runs and waits for it. */
  async close(): Promise<void> {
    await Promise.all([...this.#adapters.values()].map((adapter) => adapter.close()));
    process.off('exit', this.#killAll);
  }

  #build(provider: ProviderId): ScriptAdapter | undefined {
    const settings = this.scripts[provider];
    if (!settings) return undefined;
    const { ScriptAdapter } = require('./script.adapter') as Adapter;
    const onErrorText = (fields: object): void => this.logger.debug(fields, ScriptAdapter.name);
    const adapter = new ScriptAdapter(provider, settings, { onErrorText });
    if (this.#adapters.size === 0) process.on('exit', this.#killAll);
    this.#adapters.set(provider, adapter);
    return adapter;
  }
}
