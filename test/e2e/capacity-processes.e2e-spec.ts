import { readFileSync } from 'node:fs';
import { type Answer, clientOf } from '../support/app';
import { catalogFolder } from '../support/catalog/catalog-folder';
import { eventually } from '../support/eventually';
import { ServiceCluster } from '../support/proof/service-cluster';

const AT_ONCE = 3;
const MODEL = 'openai/gpt-6-luna';
const CATALOG = `models:\n  - { id: ${MODEL}, capacity: { concurrency: ${AT_ONCE}, queueMs: 60000 } }\n`;
const TIMEOUT_MS = 90_000;

describe('capacities of providers, over two processes', () => {
  let cluster: ServiceCluster;

  beforeAll(async () => {
    const folder = catalogFolder({ 'own.yaml': CATALOG });
    cluster = await ServiceCluster.start({
      processes: 2,
      env: { LATTICE_CONFIG_DIR: folder, HOLD_LEASE_MS: '5000' },
    });
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  const ask = (url: string | undefined, content = 'Hello'): Promise<Answer> =>
    clientOf(url ?? '').call('POST', '/v1/chat/completions', {
      credential: cluster.admin.key,
      headers: { 'x-lattice-fallback': 'none' },
      body: { model: MODEL, messages: [{ role: 'user', content }], max_tokens: 20 },
    });

  it(
    'hold for all of them together, and what a killed one had under way comes back',
    async () => {
      await cluster.truth.script({ times: 'always', delayMs: 30 });
      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, index) => ask(cluster.urls[index % 2])),
      );
      expect(answers.map(({ status }) => status)).toEqual(Array(40).fill(200));

      await cluster.truth.clearScripts();
      const stalled = Array.from({ length: AT_ONCE }, () =>
        ask(cluster.urls[0], '[[script:{"fault":{"kind":"stall"}}]]').catch(() => undefined),
      );
      await cluster.truth.waitFor(
        (log) => log.filter(({ outcome }) => outcome === 'open').length === AT_ONCE,
      );
      const waiting = ask(cluster.urls[1]);
      const attempts = (await cluster.truth.attempts()).length;
      await cluster.kill(0);
      expect((await waiting).status).toBe(200);
      await Promise.all(stalled);
      expect(await cluster.log()).toHaveLength(attempts + 1);

      let open = 0;
      let most = 0;
      for (const text of readFileSync(cluster.truth.logFile, 'utf8').trim().split('\n')) {
        const { type } = JSON.parse(text) as { type: string };
        if (type === 'attempt') most = Math.max(most, (open += 1));
        else if (type === 'end') open -= 1;
      }
      expect(most).toBe(AT_ONCE);
      await eventually(async () => ((await cluster.books.differences()).length === 0 ? true : undefined));
    },
    TIMEOUT_MS,
  );
});
