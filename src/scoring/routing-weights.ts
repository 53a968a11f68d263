import { parseYaml, readYamlFile, shortHash } from '../config/index';
import { type WeightsContent, weightsFileSchema } from './weights-file';

export const WEIGHTS_FILE = 'routing/weights.yaml';

/** What `routing/weights.yaml` says, and its version. */
export class RoutingWeights {
  private constructor(
    readonly content: WeightsContent,
    /** The first digits of the file's SHA-256. */
    readonly version: string,
  ) {}

  /** @throws ConfigurationError naming the file, the place in it and the reason. */
  static load(dirs: readonly string[]): RoutingWeights {
    const { value, version } = readYamlFile(dirs, WEIGHTS_FILE, weightsFileSchema);
    return new RoutingWeights(value, version);
  }

  /** @throws ConfigurationError as `load` does; `file` is only named in messages. */
  static parse(file: string, text: string): RoutingWeights {
    return new RoutingWeights(parseYaml(file, text, weightsFileSchema), shortHash(text));
  }
}
