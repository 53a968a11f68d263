import { ConfigurationError } from '../../errors/index';
import type { MergedEntry } from './merge';

export function wrong(merged: MergedEntry, field: string, reason: string): ConfigurationError {
  return new ConfigurationError(`${merged.file}: ${merged.path}.${field}: ${reason}`);
}
