/** Several processes of the service on one database, with the truth provider behind them. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Account, type Answer, type CallOptions, clientOf, testEnv } from '../app';
import { createTestDatabase } from '../database/test-database';
import { eventually } from '../eventually';
import { ServiceProcess } from '../service-process';
import { type Attempt, startTruthProvider, type TruthProvider } from '../truth-provider/truth-provider';
import { Books } from './books';

const LOG_LIMIT_MS = 30_000;

export interface ClusterOptions {
  readonly processes: number;
  readonly env?: NodeJS.ProcessEnv;
  /** What single processes have besides, by slot. */
  readonly own?: readonly NodeJS.ProcessEnv[];
  /** The provider's log tells in each attempt's path which process asked: `slotOf` reads it. */
  readonly tellsSlots?: boolean;
  /** A database of the test's own; otherwise the cluster has one for its time. */
  readonly databaseUrl?: string;
}

/** One place for a process: who is killed comes back here, with the same data directory. */
interface Slot {
  readonly env: NodeJS.ProcessEnv;
  readonly dataDir: string;
  process: ServiceProcess;
  /** Undefined while it is down. */
  url?: string;
}

export class ServiceCluster {
  readonly books: Books;
  private readonly slots: Slot[] = [];
  private firstAccount?: Account;

  private constructor(
    readonly truth: TruthProvider,
    private readonly options: ClusterOptions,
    readonly databaseUrl: string,
    private readonly dropDatabase: () => Promise<void>,
  ) {
    this.books = new Books(databaseUrl);
  }

  static async start(options: ClusterOptions): Promise<ServiceCluster> {
    const [truth, database] = await Promise.all([startTruthProvider(), databaseFor(options)]);
    const cluster = new ServiceCluster(truth, options, database.url, () => database.drop());
    const { processes } = options;
    try {
      // The first alone: it fills the price book, and the others find it.
      await cluster.add();
      cluster.firstAccount = await cluster.register();
      await cluster.grow(processes - 1);
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  /** Starts further processes. */
  async grow(count: number): Promise<void> {
    await Promise.all(Array.from({ length: count }, () => this.add()));
  }

  /** Where the process of a slot serves; undefined while it is down. */
  url(slot: number): string | undefined {
    return this.slots[slot]?.url;
  }

  /** The addresses of all that are up. */
  get urls(): readonly string[] {
    return this.slots.flatMap(({ url }) => (url === undefined ? [] : [url]));
  }

  /** The first account: the administrator. */
  get admin(): Account {
    if (!this.firstAccount) throw new Error('The cluster has no administrator yet');
    return this.firstAccount;
  }

  /** A new account with a key. */
  async register(): Promise<Account> {
    return await clientOf(this.anyUrl()).register();
  }

  /** A request to whichever process is up, unless one is named. */
  async call<T>(
    method: string,
    route: string,
    options?: CallOptions,
    url = this.anyUrl(),
  ): Promise<Answer<T>> {
    return await clientOf(url).call<T>(method, route, options);
  }

  /** A request of the administrator that must succeed. */
  async administer<T>(method: string, route: string, body: object): Promise<T> {
    const answer = await this.call<T>(method, route, { body, credential: this.admin.accessToken });
    if (answer.status >= 300) throw new Error(`${method} ${route}: ${answer.status} ${answer.text}`);
    return answer.body;
  }

  /** A hard total budget of an account; its API id. */
  async createBudget({ userId }: Account, limitUsd: string): Promise<string> {
    const body = { scope: 'user', scopeId: userId, period: 'total', mode: 'hard', limitUsd };
    return (await this.administer<{ id: string }>('POST', '/api/v1/budgets', body)).id;
  }

  /** The provider's log, once every attempt in it has come to its end. */
  async log(): Promise<readonly Attempt[]> {
    return await eventually(async () => {
      const attempts = await this.truth.attempts();
      return attempts.every(({ outcome }) => outcome !== 'open') ? attempts : undefined;
    }, LOG_LIMIT_MS);
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(slot: number): Promise<void> {
    const victim = this.at(slot);
    victim.url = undefined;
    victim.process.kill('SIGKILL');
    await victim.process.exited();
  }

  /** Resolves when it serves. */
  async restart(slot: number): Promise<void> {
    const place = this.at(slot);
    place.process = new ServiceProcess(place.env);
    place.url = await place.process.url();
  }

  /** Stops a process in its tracks: connections stay open, nothing answers. Who asks `urls` does not find it. */
  freeze(slot: number): void {
    const place = this.at(slot);
    place.process.kill('SIGSTOP');
    place.url = undefined;
  }

  async thaw(slot: number): Promise<void> {
    const place = this.at(slot);
    place.process.kill('SIGCONT');
    place.url = await place.process.url();
  }

  /** Of the process in a slot. */
  pid(slot: number): number {
    return this.at(slot).process.pid;
  }

  /** What the process in a slot has printed. */
  output(slot: number): string {
    return this.at(slot).process.output;
  }

  /** Does nothing wait on the disk of any process for the books? */
  hasNoJournal(): boolean {
    return this.slots.every(({ dataDir }) => {
      const folder = path.join(dataDir, 'journal');
      return !existsSync(folder) || !readdirSync(folder).some((name) => name.endsWith('.ndjson'));
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.slots.map(({ process }) => process.destroy()));
    await this.books.close();
    await this.dropDatabase();
    await this.truth.stop();
    for (const { dataDir } of this.slots) rmSync(dataDir, { recursive: true, force: true });
  }

  private async add(): Promise<void> {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-proof-'));
    const env = testEnv(dataDir, {
      OPENAI_BASE_URL: this.options.tellsSlots
        ? this.truth.url.replace(/v1$/, `slot-${this.slots.length}/v1`)
        : this.truth.url,
      DATABASE_URL: this.databaseUrl,
      RATE_LIMIT_USER_PER_HOUR: '0',
      RATE_LIMIT_GLOBAL_PER_HOUR: '0',
      ...this.options.env,
      ...this.options.own?.[this.slots.length],
    });
    const slot: Slot = { env, dataDir, process: new ServiceProcess(env) };
    this.slots.push(slot);
    slot.url = await slot.process.url();
  }

  private at(slot: number): Slot {
    const found = this.slots[slot];
    if (!found) throw new RangeError(`There is no slot ${slot}`);
    return found;
  }

  private anyUrl(): string {
    const [url] = this.urls;
    if (url === undefined) throw new Error('No process of the cluster is up');
    return url;
  }
}

/** Which process made a call, in a cluster that tells slots. */
export function slotOf({ path: route }: Attempt): number {
  const slot = /\/slot-(\d+)\//.exec(route ?? '')?.[1];
  if (slot === undefined) throw new Error(`${route} names no slot`);
  return Number(slot);
}

async function databaseFor({ databaseUrl }: ClusterOptions): Promise<{ url: string; drop(): Promise<void> }> {
  if (databaseUrl === undefined) return await createTestDatabase();
  return { url: databaseUrl, drop: () => Promise.resolve() };
}
