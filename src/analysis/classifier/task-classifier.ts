import { gunzipSync } from 'node:zlib';
import { z } from 'zod';
import { TASK_TYPES, type TaskType } from '../../common/index';
import { findConfigFile, shortHash } from '../../config/index';
import { ConfigurationError } from '../../errors/index';
import { type FeatureGroup, textFeatures } from './text-features';
import { FEATURE_BITS } from './text-hashes';
import { WeightTable } from './weight-table';

const WEIGHTS_FILE = 'routing/classifier.bin.gz';
const LINE_FEED = 0x0a;

/** What stands before the weights, as one line of JSON. */
const headerSchema = z.object({
  format: z.literal(1),
  featureBits: z.literal(FEATURE_BITS),
  types: z.array(z.enum(TASK_TYPES)).min(2),
  /** One step of each type's weights. */
  steps: z.array(z.number().positive()),
  /** Scores are divided by it, so that a confidence means what it says. */
  temperature: z.number().positive(),
  /** Ids of the patterns that it was trained with. */
  patterns: z.array(z.string()),
});

export interface Evidence {
  readonly id: string;
  readonly taskType: TaskType;
  /** 0..1. */
  readonly weight: number;
}

export interface TypeProbability {
  readonly taskType: TaskType;
  readonly probability: number;
}

export interface ClassifiedText {
  readonly text: string;
  readonly lowered: string;
  readonly language: string;
  readonly patterns: readonly Evidence[];
}

/** How much a whole match of a pattern says that the weights do not know, such as an operator's own. */
const UNTRAINED_SCORE = 3;

/**
 * A multinomial logistic regression over hashed features of the text and the patterns that matched. The weights are
 * trained by `npm run train:classifier`; one table, eight bits each.
 */
export class TaskClassifier {
  private readonly trained: ReadonlySet<string>;
  private readonly steps: Float64Array;

  private constructor(
    private readonly header: z.infer<typeof headerSchema>,
    private readonly weights: WeightTable,
    /** The first digits of the file's SHA-256. */
    readonly version: string,
  ) {
    this.trained = new Set(header.patterns);
    this.steps = Float64Array.from(header.steps);
  }

  /** From the first folder that has the file. @throws ConfigurationError */
  static load(dirs: readonly string[]): TaskClassifier {
    const { file, bytes, version } = findConfigFile(dirs, WEIGHTS_FILE);
    const { header, weights } = read(file, bytes);
    return new TaskClassifier(header, weights, version);
  }

  /** @param file is only named in messages. @throws ConfigurationError */
  static parse(file: string, bytes: Buffer): TaskClassifier {
    const { header, weights } = read(file, bytes);
    return new TaskClassifier(header, weights, shortHash(bytes));
  }

  /** All types it knows, the likeliest first; the probabilities add up to 1. The same text gives the same. */
  probabilities(text: ClassifiedText): readonly TypeProbability[] {
    const { types, temperature } = this.header;
    const features = textFeatures({ ...text, patterns: text.patterns.map(({ id }) => id) });
    const scores = this.scores(features);
    for (const { id, taskType, weight } of text.patterns) {
      const place = types.indexOf(taskType);
      if (place >= 0 && !this.trained.has(id))
        scores[place] = (scores[place] as number) + weight * UNTRAINED_SCORE;
    }
    const highest = Math.max(...scores);
    const shares = scores.map((score) => Math.exp((score - highest) / temperature));
    const total = shares.reduce((sum, share) => sum + share, 0);
    return types
      .map((taskType, place) => ({ taskType, probability: (shares[place] as number) / total }))
      .sort((one, other) => other.probability - one.probability);
  }

  /** By type. */
  private scores(groups: readonly FeatureGroup[]): Float64Array {
    const { steps } = this;
    const scores = new Float64Array(steps.length);
    for (const group of groups) {
      const sums = this.weights.sums(group);
      for (let type = 0; type < scores.length; type += 1)
        scores[type] =
          (scores[type] as number) + (sums[type] as number) * (steps[type] as number) * group.scale;
    }
    return scores;
  }
}

function read(file: string, bytes: Buffer) {
  const content = unpacked(file, bytes);
  const end = content.indexOf(LINE_FEED);
  const header = headerSchema.safeParse(jsonOf(content.toString('utf8', 0, Math.max(0, end))));
  if (!header.success)
    throw new ConfigurationError(`${file} does not begin with a header that is understood`);
  const weights = new Int8Array(content.subarray(end + 1));
  const { types, steps } = header.data;
  if (steps.length !== types.length || weights.length !== types.length * 2 ** FEATURE_BITS)
    throw new ConfigurationError(`${file} holds ${weights.length} weights, which do not fit its header`);
  return { header: header.data, weights: new WeightTable(weights, types.length) };
}

function unpacked(file: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new ConfigurationError(`${file} cannot be unpacked: ${(error as Error).message}`, { cause: error });
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
