import { isJsonObject, type JsonObject } from '../../../common/index';

const PROFILES_PER_PAGE = 1000;

/** Reads one path of the control address. */
export type ReadPage = (path: string) => Promise<JsonObject>;

/** What can be named in a call: models, and the inference profiles (`us.…`, `global.…`) that newer models need. */
export async function bedrockModelIds(read: ReadPage): Promise<readonly string[]> {
  const [models, profiles] = await Promise.all([read('/foundation-models'), inferenceProfileIds(read)]);
  return [...idsOf(models.modelSummaries, 'modelId'), ...profiles];
}

async function inferenceProfileIds(read: ReadPage): Promise<string[]> {
  const ids: string[] = [];
  let token: unknown;
  do {
    const next = typeof token === 'string' ? `&nextToken=${encodeURIComponent(token)}` : '';
    const page = await read(`/inference-profiles?maxResults=${PROFILES_PER_PAGE}${next}`);
    const found = idsOf(page.inferenceProfileSummaries, 'inferenceProfileId');
    ids.push(...found);
    token = found.length > 0 ? page.nextToken : undefined;
  } while (typeof token === 'string');
  return ids;
}

function idsOf(rows: unknown, field: string): string[] {
  if (!Array.isArray(rows)) return [];
  return (rows as readonly unknown[]).flatMap((row) => {
    const id = isJsonObject(row) ? row[field] : undefined;
    return typeof id === 'string' ? [id] : [];
  });
}
