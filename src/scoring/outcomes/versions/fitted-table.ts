/** Between the fit, which knows numbers only, and what is stored of it. */
import type { CatalogService } from '../../../catalog/index';
import type { TaskType } from '../../../common/index';
import { shortHash } from '../../../config/index';
import { type CapabilityContent, checkedContent } from '../../capabilities/capability-content';
import { fitCapabilities } from '../../capabilities/capability-fit';
import type { CapabilityTable } from '../../capabilities/capability-table';
import { FittedCapabilityTable } from '../../capabilities/fitted-capability-table';
import { inPieces } from '../../capabilities/in-pieces';
import type { OutcomeRow } from '../../capabilities/outcome-row';

type Scores = Readonly<Record<TaskType, number>>;
type Models = Pick<CatalogService, 'ofKind'>;

/** What the outcomes say beyond the catalog's estimates. */
export async function fittedContent(
  rows: readonly OutcomeRow[],
  catalog: Models,
): Promise<CapabilityContent> {
  const priors = new Map<string, Scores>();
  for (const { baseModel, scores } of catalog.ofKind('chat')) {
    if (!priors.has(baseModel)) priors.set(baseModel, scores);
  }
  return await fitCapabilities(rows, (model) => priors.get(model));
}

/**
 * Digest of the estimates that outcomes are compared with. Without models that were found at run time: processes find them
 * at different times.
 */
export function priorsDigest(catalog: Models): string {
  const written = catalog.ofKind('chat').filter(({ isDiscovered }) => !isDiscovered);
  return shortHash(JSON.stringify(written.map(({ baseModel, scores }) => [baseModel, scores])));
}

/** @throws Error when the content is none that this release understands. */
export async function tableOf(version: string, content: unknown): Promise<CapabilityTable> {
  return await FittedCapabilityTable.parse(version, content);
}

export async function isReadable(content: unknown): Promise<boolean> {
  try {
    await inPieces(checkedContent(content));
    return true;
  } catch {
    return false;
  }
}

/** Is this what was stored, byte by byte? */
export async function isStored(content: CapabilityContent, stored: unknown): Promise<boolean> {
  return (await isReadable(stored)) && (await inPieces(areSame(content, stored as CapabilityContent)));
}

function* areSame(
  { examples, ...one }: CapabilityContent,
  { examples: stored, ...other }: CapabilityContent,
): Generator<void, boolean> {
  if (examples.length !== stored.length || !isWrittenAlike(one, other)) return false;
  for (const [place, example] of examples.entries()) {
    if (!isWrittenAlike(example, stored[place])) return false;
    yield;
  }
  return true;
}

function isWrittenAlike(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
