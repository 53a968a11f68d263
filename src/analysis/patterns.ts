import { Injectable } from '@nestjs/common';
import { AppConfig, WatchedFile } from '../config/index';
import { PATTERN_FILE, PatternSet } from './pattern-set';

/** The patterns that count now: those of the file, also when it changes. */
@Injectable()
export class Patterns extends WatchedFile<PatternSet> {
  /** @throws ConfigurationError naming the file, the place in it and the reason. */
  constructor({ configDirs, vars }: AppConfig) {
    super({
      relativePath: PATTERN_FILE,
      dirs: configDirs,
      intervalMs: vars.ROUTING_RELOAD_MS,
      read: () => PatternSet.load(configDirs),
    });
  }
}
