import { Injectable } from '@nestjs/common';
import { AppConfig, WatchedFile } from '../config/index';
import { RoutingWeights, WEIGHTS_FILE } from './routing-weights';

/** The weights that count now: those of the file, also when it changes. */
@Injectable()
export class Weights extends WatchedFile<RoutingWeights> {
  /** @throws ConfigurationError naming the file, the place in it and the reason. */
  constructor({ configDirs, vars }: AppConfig) {
    super({
      relativePath: WEIGHTS_FILE,
      dirs: configDirs,
      intervalMs: vars.ROUTING_RELOAD_MS,
      read: () => RoutingWeights.load(configDirs),
    });
  }
}
