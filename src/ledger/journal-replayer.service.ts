import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { toServiceUnavailable } from '../database/index';
import { AppLogger } from '../observability/index';
import { LedgerStore } from './ledger.store';
import { RepeatingTask } from './repeating-task';
import { type JournalContent, SettlementJournal } from './settlement-journal';
import { Settler } from './settler.service';

const INTERVAL_MS = 1000;
/** Every so many rounds the journals of dead processes are looked for. */
const ROUNDS_PER_SEARCH = 10;

/** Books what waits in the journal once PostgreSQL is back, this process's own and those of dead ones. */
@Injectable()
export class JournalReplayer implements OnModuleInit, OnApplicationShutdown {
  private readonly task = new RepeatingTask(INTERVAL_MS, () => this.round());
  private rounds = 0;
  private tail: Promise<void> = Promise.resolve();

  constructor(
    private readonly journal: SettlementJournal,
    private readonly settler: Settler,
    private readonly store: LedgerStore,
    private readonly logger: AppLogger,
  ) {}

  onModuleInit(): void {
    this.task.start();
    void this.task.trigger();
  }

  /** One last try: what is left waits on the disk for the next start. */
  async onApplicationShutdown(): Promise<void> {
    await this.task.stop();
    if (!this.journal.isEmpty) await this.task.trigger();
  }

  /** Books what can be booked now; an error leaves the journal as it is. */
  async replay(): Promise<void> {
    await this.exclusively(async () => {
      await this.replayOwn();
      await this.replayLeftovers();
    });
  }

  private async round(): Promise<void> {
    try {
      if (this.rounds % ROUNDS_PER_SEARCH === 0) await this.replay();
      else await this.exclusively(() => this.replayOwn());
      this.rounds += 1;
    } catch (error) {
      if (!toServiceUnavailable(error))
        this.logger.error(`The journal could not be replayed: ${String(error)}`);
    }
  }

  /** Two replays at once would each forget what the other has not read. */
  private async exclusively(work: () => Promise<void>): Promise<void> {
    const result = this.tail.then(work);
    this.tail = result.catch(() => undefined);
    await result;
  }

  private async replayOwn(): Promise<void> {
    if (this.journal.isEmpty) return;
    const content = await this.journal.read();
    await this.book(content);
    await this.journal.discard(content.bytes);
  }

  private async replayLeftovers(): Promise<void> {
    const others = await this.journal.listOthers();
    if (others.length === 0) return;
    const live = await this.store.liveProcesses(others.map(({ processId }) => processId));
    for (const leftover of others.filter(({ processId }) => !live.has(processId))) {
      const content = await this.journal.readLeftover(leftover);
      if (!content) continue;
      await this.book(content);
      await this.journal.removeLeftover(leftover);
    }
  }

  private async book({ settlements, brokenLines }: JournalContent): Promise<void> {
    await Promise.all(settlements.map((settlement) => this.settler.book(settlement)));
    for (const line of brokenLines) await this.journal.reject(line, 'not a settlement');
    if (settlements.length > 0)
      this.logger.log(`${settlements.length} settlements were booked from the journal`);
  }
}
