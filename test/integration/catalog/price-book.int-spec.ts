import { DataSource } from 'typeorm';
import { CatalogService } from '../../../src/catalog/catalog.service';
import { cost } from '../../../src/catalog/cost';
import type { CatalogModel } from '../../../src/catalog/model';
import { PriceBook } from '../../../src/catalog/price-book';
import { fromUsd, toUsd } from '../../../src/catalog/price-conversion';
import { PriceRepository } from '../../../src/catalog/price.repository';
import type { Clock } from '../../../src/common/index';
import type { AppConfig } from '../../../src/config/index';
import { RefreshChangedPrices } from '../../../src/catalog/refresh-changed-prices.listener';
import { buildDataSourceOptions, Notifications } from '../../../src/database/index';
import { catalogFolder, modelsYaml, modelYaml } from '../../support/catalog/catalog-folder';
import { eventually } from '../../support/eventually';
import { untilSomeoneWaits } from '../../support/database/lock-waits';
import { createTestDatabase, type TestDatabase } from '../../support/database/test-database';

const ADMIN = '0192f0c1-a2b3-7c4d-8e5f-60718293a4b5';
/** Whoever changes a price writes it down; not of interest here. */
const UNRECORDED = () => Promise.resolve();
const NOVEMBER = Date.parse('2026-11-21T00:00:00Z');
const DECEMBER = Date.parse('2026-12-01T00:00:00Z');

const folder = catalogFolder({
  'models.yaml': modelsYaml(
    modelYaml('openai/listed', 'priceId: openai/gpt-6-luna'),
    modelYaml('openai/written', "price: { input: '2', output: '3' }"),
    modelYaml('openai/unknown'),
    modelYaml(
      'google/scheduled',
      "price: [{ input: '2', output: '10' }, { from: 2026-12-01, input: '4', output: '20' }]",
    ),
  ),
});

let database: TestDatabase;
let dataSource: DataSource;
const booted: PriceBook[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  dataSource = await new DataSource(buildDataSourceOptions(database.url, 4)).initialize();
});
beforeEach(() => dataSource.query('TRUNCATE price_versions, price_overrides RESTART IDENTITY'));
afterEach(async () => {
  for (const book of booted.splice(0)) await book.onModuleDestroy();
});
afterAll(async () => {
  await dataSource.destroy();
  await database.drop();
});

/** One process: its own catalog and memory, the shared database. */
async function boot(clock: Clock = { now: () => NOVEMBER }, dirs: readonly string[] = [folder]) {
  const catalog = new CatalogService({ configDirs: dirs } as unknown as AppConfig);
  const book = new PriceBook(catalog, new PriceRepository(dataSource), clock);
  booted.push(book);
  await book.onModuleInit();
  return { catalog, book };
}

const inputOf = (book: PriceBook, id: string): string | undefined => {
  const price = book.current(id);
  return price && toUsd(price).input;
};
const modelOf = (catalog: CatalogService, id: string): CatalogModel =>
  catalog.resolve(id).models[0] as CatalogModel;
const countRows = async (): Promise<number> => {
  const [row]: { count: number }[] = await dataSource.query(
    'SELECT count(*)::int AS count FROM price_versions',
  );
  return row?.count ?? -1;
};

describe(PriceBook.name, () => {
  it('writes each price once when processes boot at the same time', async () => {
    const writes = dataSource.createQueryRunner();
    await writes.startTransaction();
    await writes.query('LOCK TABLE price_versions IN SHARE ROW EXCLUSIVE MODE');
    const booting = Promise.all([boot(), boot()]);
    try {
      await untilSomeoneWaits(dataSource, { count: 2 });
    } finally {
      await writes.commitTransaction();
      await writes.release();
    }
    for (const { book } of await booting) expect(inputOf(book, 'openai/listed')).toBe('0.1');
    expect(await countRows()).toBe(3);
  });

  it('writes nothing at a restart', async () => {
    await boot();
    await boot();
    expect(await countRows()).toBe(3);
  });

  it('says where a price comes from, and keeps an unknown one undefined', async () => {
    const { book } = await boot();
    expect(book.current('openai/listed')?.source).toMatch(/^genai-prices@/);
    expect(book.current('openai/written')).toMatchObject({
      source: 'catalog',
      prices: { inputPicoUsd: 2_000_000n, outputPicoUsd: 3_000_000n },
    });
    expect(book.current('openai/unknown')).toBeUndefined();
    expect(book.current('openai/never-heard-of')).toBeUndefined();
  });

  it('makes a new version of an operator’s price and keeps the old one', async () => {
    const { book, catalog } = await boot();
    const before = book.current('openai/listed');
    const set = await book.setOverride(
      modelOf(catalog, 'openai/listed'),
      fromUsd({ input: '9', output: '9' }),
      ADMIN,
      UNRECORDED,
    );
    expect(set).toMatchObject({ source: 'operator', prices: { inputPicoUsd: 9_000_000n } });
    expect(set.version).toBeGreaterThan(before?.version ?? Infinity);
    expect(book.current('openai/listed')).toBe(set);
    const [now, old] = await book.history('openai/listed', { limit: 2 });
    expect(now).toMatchObject({ version: set.version, validTo: undefined });
    expect(old).toMatchObject({
      version: before?.version,
      prices: before?.prices,
      validTo: set.validFrom,
    });
  });

  it('makes a new version when an operator confirms the listed price', async () => {
    const { book, catalog } = await boot();
    const price = fromUsd({ input: '2', output: '3' });
    const set = await book.setOverride(modelOf(catalog, 'openai/written'), price, ADMIN, UNRECORDED);
    expect(set.source).toBe('operator');
    await book.removeOverride(modelOf(catalog, 'openai/written'), UNRECORDED);
    expect(book.current('openai/written')).toMatchObject({ source: 'catalog', version: set.version + 1 });
  });

  it('keeps an operator’s price over a restart, and goes back to the listed one', async () => {
    const first = await boot();
    const model = modelOf(first.catalog, 'openai/listed');
    await first.book.setOverride(model, fromUsd({ input: '9', output: '9' }), ADMIN, UNRECORDED);
    const second = await boot();
    expect(inputOf(second.book, 'openai/listed')).toBe('9');
    await second.book.removeOverride(model, UNRECORDED);
    expect(inputOf(second.book, 'openai/listed')).toBe('0.1');
    await expect(second.book.removeOverride(model, UNRECORDED)).rejects.toMatchObject({ status: 404 });
    expect(inputOf(second.book, 'openai/written')).toBe('2');
  });

  it('is told at once what another process has set', async () => {
    const [here, there] = [await boot(), await boot()];
    const notifications = new Notifications(database.url);
    new RefreshChangedPrices(notifications, here.book).onModuleInit();
    await notifications.onApplicationBootstrap();
    try {
      const price = fromUsd({ input: '7', output: '8' });
      await there.book.setOverride(modelOf(there.catalog, 'openai/written'), price, ADMIN, UNRECORDED);
      const seen = await eventually(() =>
        Promise.resolve(inputOf(here.book, 'openai/written') === '7' ? '7' : undefined),
      );
      expect(seen).toBe('7');
    } finally {
      await notifications.onApplicationShutdown();
    }
  });

  it('sees at the next refresh what another process set, and keeps unchanged versions the same objects', async () => {
    const [here, there] = [await boot(), await boot()];
    const untouched = here.book.current('openai/written');
    await there.book.setOverride(
      modelOf(there.catalog, 'openai/listed'),
      fromUsd({ input: '7', output: '7' }),
      ADMIN,
      UNRECORDED,
    );
    expect(inputOf(here.book, 'openai/listed')).toBe('0.1');
    await here.book.refresh();
    expect(inputOf(here.book, 'openai/listed')).toBe('7');
    expect(here.book.current('openai/written')).toBe(untouched);
  });

  it('takes over a price that begins on a day', async () => {
    let now = NOVEMBER;
    const { book } = await boot({ now: () => now });
    expect(inputOf(book, 'google/scheduled')).toBe('2');
    now = DECEMBER - 1;
    await book.refresh();
    expect(inputOf(book, 'google/scheduled')).toBe('2');
    now = DECEMBER;
    await book.refresh();
    expect(inputOf(book, 'google/scheduled')).toBe('4');
    expect(await book.history('google/scheduled', { limit: 10 })).toHaveLength(2);
  });

  it('leaves alone what a process of another release wrote', async () => {
    const older = await boot();
    const newer = catalogFolder({
      'mine.yaml': "models:\n  - { id: openai/written, price: { input: '5', output: '5' } }\n",
    });
    await boot(undefined, [newer, folder]);
    await older.book.refresh();
    expect(inputOf(older.book, 'openai/written')).toBe('5');
  });

  it('closes the version of a model whose price is known no more', async () => {
    await boot();
    const without = catalogFolder({ 'm.yaml': modelsYaml(modelYaml('openai/written')) });
    const { book } = await boot(undefined, [without]);
    expect(book.current('openai/written')).toBeUndefined();
  });

  it('prices models found at the local server at an explicit 0, before they are visible', async () => {
    const { book, catalog } = await boot();
    await catalog.setDiscovered('local', [catalog.describeDiscovered('local', 'mine')]);
    expect(book.current('local/mine')).toMatchObject({
      source: 'local',
      prices: { inputPicoUsd: 0n, outputPicoUsd: 0n },
    });
    const free = book.current('local/mine') ?? fromUsd({ input: '1', output: '1' });
    expect(cost(free, { promptTokens: 5 })).toBe(0n);
  });

  it('knows no price for models found anywhere else', async () => {
    const { book, catalog } = await boot();
    await catalog.setDiscovered('dial', [catalog.describeDiscovered('dial', 'mine')]);
    expect(book.current('dial/mine')).toBeUndefined();
  });

  it('lists versions newest first', async () => {
    const { book, catalog } = await boot();
    for (const input of ['5', '6', '7']) {
      await book.setOverride(
        modelOf(catalog, 'openai/listed'),
        fromUsd({ input, output: '1' }),
        ADMIN,
        UNRECORDED,
      );
    }
    const all = await book.history('openai/listed', { limit: 10 });
    expect(all.map((price) => toUsd(price).input)).toEqual(['7', '6', '5', '0.1']);
    const rest = await book.history('openai/listed', { limit: 10, before: all[1]?.version });
    expect(rest.map((price) => toUsd(price).input)).toEqual(['5', '0.1']);
  });

  describe('as of an earlier version', () => {
    const NOW = new Date(8.64e15);
    const AT_FIRST = new Date(0);

    it('gives what was in force then', async () => {
      const { book, catalog } = await boot();
      const first = book.version;
      await book.setOverride(
        modelOf(catalog, 'openai/listed'),
        fromUsd({ input: '9', output: '9' }),
        ADMIN,
        UNRECORDED,
      );
      const second = book.version;
      await book.setOverride(
        modelOf(catalog, 'openai/listed'),
        fromUsd({ input: '8', output: '8' }),
        ADMIN,
        UNRECORDED,
      );
      const inputAt = async (version: number) =>
        (await book.asOf(version, NOW)).current('openai/listed')?.prices;
      expect([first, second, book.version]).toEqual([3, 4, 5]);
      expect(await inputAt(first)).toMatchObject({ inputPicoUsd: 100_000n });
      expect(await inputAt(second)).toMatchObject({ inputPicoUsd: 9_000_000n });
      expect(await inputAt(book.version)).toMatchObject({ inputPicoUsd: 8_000_000n });
      expect((await book.asOf(first, NOW)).current('openai/written')).toEqual(book.current('openai/written'));
    });

    it('is not changed by what comes later', async () => {
      const { book, catalog } = await boot();
      const then = await book.asOf(book.version, NOW);
      await book.setOverride(
        modelOf(catalog, 'openai/listed'),
        fromUsd({ input: '9', output: '9' }),
        ADMIN,
        UNRECORDED,
      );
      expect(then.current('openai/listed')?.version).toBeLessThan(book.version);
    });

    it('knows a price until it was withdrawn, and none from then on', async () => {
      const { book, catalog } = await boot();
      const unknown = modelOf(catalog, 'openai/unknown');
      await book.setOverride(unknown, fromUsd({ input: '9', output: '9' }), ADMIN, UNRECORDED);
      const before = book.version;
      await book.removeOverride(unknown, UNRECORDED);
      expect(book.version).toBe(before);
      await book.setOverride(
        modelOf(catalog, 'openai/listed'),
        fromUsd({ input: '7', output: '7' }),
        ADMIN,
        UNRECORDED,
      );
      expect((await book.asOf(before, AT_FIRST)).current('openai/unknown')).toBeDefined();
      expect((await book.asOf(before, NOW)).current('openai/unknown')).toBeUndefined();
    });
  });
});
