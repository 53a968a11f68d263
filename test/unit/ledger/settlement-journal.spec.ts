import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { newId } from '../../../src/common/index';
import { loadConfig } from '../../../src/config/index';
import type { IntentEntry } from '../../../src/ledger/journal-file';
import type { LineRow, Settlement } from '../../../src/ledger/ledger-rows';
import { ProcessIdentity } from '../../../src/ledger/process-identity';
import { SettlementJournal } from '../../../src/ledger/settlement-journal';

const aSettlement = (): Settlement => ({
  owner: { request_id: newId(), user_id: newId(), task_type: 'GENERAL' },
  lines: [{ request_id: newId(), attempt: 1, outcome: 'succeeded', cost_pico_usd: '9007199254740993' }],
});

describe(SettlementJournal.name, () => {
  let dataDir: string;
  let identity: ProcessIdentity;
  let journal: SettlementJournal;

  beforeEach(() => {
    dataDir = mkdtempSync(path.join(tmpdir(), 'lattice-journal-'));
    identity = new ProcessIdentity();
    journal = new SettlementJournal(loadConfig({ LATTICE_ENV: 'test', DATA_DIR: dataDir }), identity);
  });

  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  const file = (name: string): string => path.join(dataDir, 'journal', name);

  function leftover(id: string, header: object | string, rest = ''): string {
    mkdirSync(path.join(dataDir, 'journal'), { recursive: true });
    const name = file(`${id}.ndjson`);
    writeFileSync(name, `${typeof header === 'string' ? header : JSON.stringify(header)}\n${rest}`);
    return name;
  }

  it('gives back what was appended, in order and to the last digit', async () => {
    const settlements = [aSettlement(), aSettlement(), aSettlement()];
    await Promise.all(settlements.map((each) => journal.append(each)));
    const content = await journal.read();
    expect(content).toMatchObject({ settlements, brokenLines: [] });
    expect(journal.isEmpty).toBe(false);
    expect(readFileSync(file(`${identity.id}.ndjson`))).toHaveLength(content.bytes);
  });

  it('is empty before the first append and after everything is discarded', async () => {
    expect(journal.isEmpty).toBe(true);
    await expect(journal.read()).resolves.toEqual({
      settlements: [],
      intents: [],
      brokenLines: [],
      bytes: 0,
    });
    await journal.append(aSettlement());
    await journal.discard(await journal.read());
    expect(journal.isEmpty).toBe(true);
    expect(readdirSync(path.join(dataDir, 'journal'))).toEqual([]);
  });

  it('keeps what was appended while the rest was being booked', async () => {
    const [booked, late] = [aSettlement(), aSettlement()];
    await journal.append(booked);
    const read = await journal.read();
    await journal.append(late);
    await journal.discard(read);
    await expect(journal.read()).resolves.toMatchObject({ settlements: [late], brokenLines: [] });
    expect(journal.isEmpty).toBe(false);
    await expect(journal.listOthers()).resolves.toEqual([]);
  });

  it('fails the append that the disk does not take, and says why until it takes one', async () => {
    writeFileSync(path.join(dataDir, 'journal'), 'a file where the folder should be');
    await expect(journal.append(aSettlement())).rejects.toThrow();
    expect(journal.problem).toBe('EEXIST');
    rmSync(path.join(dataDir, 'journal'));
    await journal.append(aSettlement());
    expect(journal.problem).toBeUndefined();
  });

  it('finds out whether the disk takes anything, and leaves nothing behind', async () => {
    writeFileSync(path.join(dataDir, 'journal'), 'a file where the folder should be');
    await journal.probe();
    expect(journal.problem).toBe('EEXIST');
    rmSync(path.join(dataDir, 'journal'));
    await journal.probe();
    expect(journal.problem).toBeUndefined();
    expect([journal.isEmpty, readdirSync(path.join(dataDir, 'journal'))]).toEqual([true, []]);
  });

  describe('intents', () => {
    const anIntent = (): IntentEntry => {
      const [line] = aSettlement().lines;
      return { owner: aSettlement().owner, intent: line as LineRow };
    };

    it('stand beside the settlements and count as none', async () => {
      const [intent, settlement] = [anIntent(), aSettlement()];
      await journal.append(intent);
      expect([journal.length, journal.isEmpty]).toEqual([0, false]);
      await journal.append(settlement);
      expect(journal.length).toBe(1);
      await expect(journal.read()).resolves.toMatchObject({ intents: [intent], settlements: [settlement] });
    });

    it('stay when they are to be kept, with what came meanwhile', async () => {
      const [kept, done, late] = [anIntent(), anIntent(), aSettlement()];
      for (const each of [kept, done, aSettlement()]) await journal.append(each);
      const read = await journal.read();
      await journal.append(late);
      await journal.discard(read, [kept]);
      await expect(journal.read()).resolves.toMatchObject({ intents: [kept], settlements: [late] });
      expect([journal.length, journal.isEmpty]).toEqual([1, false]);
    });
  });

  it('says how long something has waited', async () => {
    expect(journal.oldestAt).toBeUndefined();
    const before = Date.now();
    await journal.append(aSettlement());
    const first = journal.oldestAt?.getTime() ?? 0;
    expect(first).toBeGreaterThanOrEqual(before);
    const read = await journal.read();
    await journal.append(aSettlement());
    expect(journal.oldestAt?.getTime()).toBe(first);
    await journal.discard(read);
    expect(journal.oldestAt?.getTime()).toBeGreaterThanOrEqual(first);
    await journal.discard(await journal.read());
    expect(journal.oldestAt).toBeUndefined();
  });

  it('goes on when somebody else took its file for abandoned', async () => {
    await journal.append(aSettlement());
    rmSync(file(`${identity.id}.ndjson`));
    await journal.discard(await journal.read());
    expect(journal.isEmpty).toBe(true);
    const next = aSettlement();
    await journal.append(next);
    await expect(journal.read()).resolves.toMatchObject({ settlements: [next] });
  });

  it('is not abandoned as long as its process touches it', async () => {
    await journal.append(aSettlement());
    const name = file(`${identity.id}.ndjson`);
    const longAgo = new Date(Date.now() - 3_600_000);
    utimesSync(name, longAgo, longAgo);
    await journal.touch();
    expect(Date.now() - statSync(name).mtimeMs).toBeLessThan(60_000);
  });

  describe('on a full disk', () => {
    type Write = (content: Buffer, offset: number, length?: number) => Promise<{ bytesWritten: number }>;
    interface Handle {
      write: Write;
      truncate: (size: number) => Promise<void>;
    }

    afterEach(() => jest.restoreAllMocks());

    async function anyHandle(): Promise<Handle> {
      const handle = await open(dataDir, 'r');
      await handle.close();
      return Object.getPrototypeOf(handle) as Handle;
    }

    /** Takes ten bytes without an error, then nothing more. */
    function fillDisk(handle: Handle): jest.SpyInstance {
      const { write } = handle;
      return jest
        .spyOn(handle, 'write')
        .mockImplementationOnce(function (this: Handle, content, offset) {
          return write.call(this, content, offset, 10);
        })
        .mockRejectedValueOnce(Object.assign(new Error('no space left'), { code: 'ENOSPC' }));
    }

    it('fails an append that was cut short and leaves the journal as it was', async () => {
      const [before, lost, after] = [aSettlement(), aSettlement(), aSettlement()];
      await journal.append(before);
      const { bytes } = await journal.read();
      fillDisk(await anyHandle());
      await expect(journal.append(lost)).rejects.toMatchObject({ code: 'ENOSPC' });
      expect(readFileSync(file(`${identity.id}.ndjson`))).toHaveLength(bytes);
      await journal.append(after);
      await expect(journal.read()).resolves.toMatchObject({ settlements: [before, after], brokenLines: [] });
    });

    it.each([
      ['line', [aSettlement()]],
      ['header', []],
    ])('keeps later lines apart from half a %s that could not be taken back', async (_, before) => {
      const after = aSettlement();
      for (const each of before) await journal.append(each);
      const handle = await anyHandle();
      fillDisk(handle);
      jest.spyOn(handle, 'truncate').mockRejectedValueOnce(new Error('read-only'));
      await expect(journal.append(aSettlement())).rejects.toThrow('no space left');
      await journal.append(after);
      const content = await journal.read();
      expect(content).toMatchObject({ settlements: [...before, after], brokenLines: [expect.any(String)] });
    });

    it('goes on with what the first write left over', async () => {
      const handle = await anyHandle();
      const { write } = handle;
      jest.spyOn(handle, 'write').mockImplementationOnce(function (this: Handle, content, offset) {
        return write.call(this, content, offset, 10);
      });
      const settlement = aSettlement();
      await journal.append(settlement);
      await expect(journal.read()).resolves.toMatchObject({ settlements: [settlement], brokenLines: [] });
    });
  });

  it('reads the journal of a dead process, the torn last line apart', async () => {
    const settlement = aSettlement();
    const dead = newId();
    const text = `${JSON.stringify(settlement)}\n{"owner":`;
    const name = leftover(dead, { process: dead, pid: 2 ** 22 + 1, host: hostname() }, text);
    const [found] = await journal.listOthers();
    expect(found).toEqual({ file: name, processId: dead });
    await expect(journal.readLeftover({ file: name, processId: dead })).resolves.toMatchObject({
      settlements: [settlement],
      brokenLines: ['{"owner":'],
    });
    await journal.removeLeftover({ file: name, processId: dead });
    expect(existsSync(name)).toBe(false);
  });

  it.each([
    ['runs on this machine', { pid: process.ppid, host: hostname() }],
    ['ran on another machine', { pid: 2 ** 22 + 1, host: 'elsewhere' }],
  ])(
    'leaves the journal of a process that %s alone, until nobody has touched it for long',
    async (_, header) => {
      const id = newId();
      const name = leftover(id, { process: id, ...header });
      await expect(journal.readLeftover({ file: name, processId: id })).resolves.toBeUndefined();
      const longAgo = new Date(Date.now() - 3_600_000);
      utimesSync(name, longAgo, longAgo);
      await expect(journal.readLeftover({ file: name, processId: id })).resolves.toBeDefined();
    },
  );

  it('knows that an earlier process with its own number is dead', async () => {
    const id = newId();
    const name = leftover(id, { process: id, pid: process.pid, host: hostname() });
    await expect(journal.readLeftover({ file: name, processId: id })).resolves.toBeDefined();
  });

  it('keeps what can never be booked', async () => {
    await journal.reject({ some: 'thing' }, 'because');
    expect(JSON.parse(readFileSync(file('rejected.log'), 'utf8'))).toMatchObject({
      reason: 'because',
      entry: { some: 'thing' },
    });
  });
});
