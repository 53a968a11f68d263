import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { DatabaseWatch } from '../database/index';
import { AppLogger, BackgroundLoop } from '../observability/index';
import { DegradedLedger } from './degraded-ledger.service';
import type { IntentEntry, JournalContent } from './journal-file';
import type { DecisionRecordRow, Settlement } from './ledger-rows';
import { LedgerStore } from './ledger.store';
import { SettlementJournal } from './settlement-journal';
import { Settler } from './settler.service';

const INTERVAL_MS = 1000;
/** Every so many rounds this journal is touched and the journals of dead processes are looked for. */
const ROUNDS_PER_SEARCH = 10;
/** Booked at once; admissions wait no longer than for these. */
const CHUNK = 200;

/** Books what waits in the journal once PostgreSQL is back, this process's own and those of dead ones. */
@Injectable()
export class JournalReplayer implements OnModuleInit, OnApplicationShutdown {
  private readonly loop = new BackgroundLoop('replaying the journal', INTERVAL_MS, () => this.round());
  private rounds = 0;
  private isSearchDue = true;

  constructor(
    private readonly journal: SettlementJournal,
    private readonly settler: Settler,
    private readonly store: LedgerStore,
    private readonly degraded: DegradedLedger,
    private readonly watch: DatabaseWatch,
    private readonly logger: AppLogger,
  ) {}

  onModuleInit(): void {
    this.watch.onUp(() => this.loop.wake());
    this.loop.start();
    this.loop.wake();
  }

  /** One last try: what is left waits on the disk for the next start. */
  async onApplicationShutdown(): Promise<void> {
    await this.loop.stop();
    if (!this.journal.isEmpty) await this.loop.runNow();
  }

  /** Books what can be booked now, also of dead processes; what cannot stays in the journal. Never rejects. */
  async replay(): Promise<void> {
    this.isSearchDue = true;
    await this.loop.runNow();
  }

  private async round(): Promise<void> {
    this.rounds += 1;
    if (this.rounds % ROUNDS_PER_SEARCH === 0) {
      this.isSearchDue = true;
      await this.journal.touch();
    }
    if (this.watch.isDown) return;
    await this.replayOwn();
    if (!this.isSearchDue) return;
    this.isSearchDue = false;
    await this.replayLeftovers().catch((error: unknown) => {
      this.isSearchDue = true;
      throw error;
    });
  }

  /** The intents of requests that are still under way stay. */
  private async replayOwn(): Promise<void> {
    if (!this.journal.isEmpty) {
      const content = await this.journal.read();
      await this.book(content, content.settlements);
      const open = content.intents.filter(({ owner }) => this.degraded.isOpen(owner.request_id));
      const isChanged =
        content.settlements.length + content.brokenLines.length > 0 ||
        open.length < content.intents.length ||
        open.some(({ decision }) => decision);
      const kept = open.map(({ owner, intent }) => ({ owner, intent }));
      if (isChanged) await this.journal.discard(content, kept);
    }
    if (this.journal.length === 0) this.degraded.restore();
  }

  private async replayLeftovers(): Promise<void> {
    const others = await this.journal.listOthers();
    if (others.length === 0) return;
    const live = await this.store.liveProcesses(others.map(({ processId }) => processId));
    for (const leftover of others.filter(({ processId }) => !live.has(processId))) {
      const content = await this.journal.readLeftover(leftover);
      if (!content) continue;
      await this.book(content, withCrashes(content));
      await this.journal.removeLeftover(leftover);
    }
  }

  private async book(content: JournalContent, settlements: readonly Settlement[]): Promise<void> {
    const decisions = content.intents.flatMap(decisionOf);
    if (decisions.length > 0) await this.store.addDecisions(decisions);
    for (let from = 0; from < settlements.length; from += CHUNK)
      await Promise.all(settlements.slice(from, from + CHUNK).map((each) => this.settler.book(each)));
    for (const line of content.brokenLines) await this.journal.reject(line, 'not a settlement');
    if (settlements.length > 0)
      this.logger.log(`${settlements.length} settlements were booked from the journal`);
  }
}

function decisionOf({
  decision,
  intent,
}: IntentEntry): readonly (DecisionRecordRow & { decided_at: unknown })[] {
  return decision ? [{ ...decision, decided_at: intent.started_at }] : [];
}

/** With the bound of each attempt that its process never settled. One booking a request, or the truth would undo a bound. */
function withCrashes({ settlements, intents }: JournalContent): readonly Settlement[] {
  const byRequest = new Map<string, Settlement>();
  const add = ({ owner, lines }: Settlement): void => {
    const known = byRequest.get(owner.request_id)?.lines ?? [];
    byRequest.set(owner.request_id, { owner, lines: [...known, ...lines] });
  };
  settlements.forEach(add);
  const isSettled = ({ owner, intent }: IntentEntry): boolean =>
    byRequest.get(owner.request_id)?.lines.some(({ attempt }) => attempt === intent.attempt) ?? false;
  for (const entry of intents) {
    if (!isSettled(entry)) add({ owner: entry.owner, lines: [entry.intent] });
  }
  return [...byRequest.values()];
}
