import type { CatalogModel } from '../catalog/index';
import { TASK_TYPES, type TaskType } from '../common/index';
import { parseYaml, readYamlFile, shortHash } from '../config/index';
import { type GuideContent, guideFileSchema } from './guide-file';

const GUIDE_FILE = 'routing/guide.yaml';

/** The guide's word on one task type. Names are catalog ids or base models. */
export class Advice {
  private readonly recommended: ReadonlySet<string>;
  private readonly blocked: ReadonlySet<string>;
  private readonly chain: ReadonlyMap<string, number>;
  private readonly prior: number;

  constructor(content: GuideContent, taskType: TaskType) {
    const own = content.taskTypes[taskType];
    this.recommended = new Set([...content.all.recommended, ...(own?.recommended ?? [])]);
    this.blocked = new Set([...content.all.blocked, ...(own?.blocked ?? [])]);
    const chain = [...(own?.fallback ?? []), ...content.all.fallback];
    this.chain = new Map(chain.map((name, position) => [name, position] as const).toReversed());
    this.prior = content.prior;
  }

  priorOf(model: CatalogModel): number {
    return isNamed(this.recommended, model) ? this.prior : 0;
  }

  isBlocked(model: CatalogModel): boolean {
    return isNamed(this.blocked, model);
  }

  /** Position in the fallback chain; undefined when the model is not in it. */
  chainPosition(model: CatalogModel): number | undefined {
    return this.chain.get(model.id) ?? this.chain.get(model.baseModel);
  }
}

/** `routing/guide.yaml`: recommended and blocked models and fallback chains per task type. */
export class Guide {
  private readonly advices: Readonly<Record<TaskType, Advice>>;

  private constructor(
    private readonly content: GuideContent,
    /** The first digits of the file's SHA-256. */
    readonly version: string,
  ) {
    const entries = TASK_TYPES.map((type) => [type, new Advice(content, type)] as const);
    this.advices = Object.fromEntries(entries) as Record<TaskType, Advice>;
  }

  /** @throws ConfigurationError naming the file, the place in it and the reason. */
  static load(dirs: readonly string[]): Guide {
    const { value, version } = readYamlFile(dirs, GUIDE_FILE, guideFileSchema);
    return new Guide(value, version);
  }

  /** @throws ConfigurationError as `load` does; `file` is only named in messages. */
  static parse(file: string, text: string): Guide {
    return new Guide(parseYaml(file, text, guideFileSchema), shortHash(text));
  }

  advice(taskType: TaskType): Advice {
    return this.advices[taskType];
  }

  /** Names that mean no model of the catalog: misspelt, or of a model that is gone. */
  unknownNames(models: readonly CatalogModel[]): readonly string[] {
    const known = new Set(models.flatMap((model) => [model.id, model.baseModel]));
    const parts = [this.content.all, ...Object.values(this.content.taskTypes)];
    const names = parts.flatMap(({ recommended, blocked, fallback }) => [
      ...recommended,
      ...blocked,
      ...fallback,
    ]);
    return [...new Set(names)].filter((name) => !known.has(name));
  }
}

function isNamed(names: ReadonlySet<string>, model: CatalogModel): boolean {
  return names.has(model.id) || names.has(model.baseModel);
}
