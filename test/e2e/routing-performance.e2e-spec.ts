import { Performances } from '../../src/scoring/index';
import { startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

interface Explained {
  readonly ranking: readonly {
    readonly model: string;
    readonly score: number;
    readonly factors: { readonly health: number; readonly speed: number };
  }[];
}

/** What the ledger books of a model's attempts decides on who is asked next. */
describe('measured performance', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  const candidates = async () => {
    const explained = await app.call<Explained>('POST', '/api/v1/route', {
      body: { model: 'auto', messages: [{ role: 'user', content: 'Hello there' }] },
    });
    return explained.body.ranking;
  };

  /** As if the minute were over. */
  async function measure(): Promise<void> {
    await app.database.query(`update routing_performance set used_at = used_at - interval '61 s'`);
    await app.app.get(Performances).now();
  }

  it('takes a model that fails out of the first place, and gives it back when that is forgotten', async () => {
    const [first, second] = await candidates();
    const model = first?.model ?? '';
    expect(first?.factors.health).toBe(1);
    await truth.script({ times: 'always', fault: { kind: 'status', status: 503 } });
    for (let round = 0; round < 6; round += 1) await app.chat(app.admin.key, { model });
    await measure();
    const ranked = await candidates();
    const failing = ranked.find((candidate) => candidate.model === model);
    expect(ranked[0]?.model).toBe(second?.model);
    expect(failing?.factors.health ?? 0).toBeLessThan(0.6);
    await app.database.query(`update usage_lines set admitted_at = admitted_at - interval '25 hours'`);
    await measure();
    expect((await candidates())[0]).toEqual(first);
  });
});
