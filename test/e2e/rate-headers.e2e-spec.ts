import { startApp, type TestApp } from '../support/app';
import { startTruthProvider, type TruthProvider } from '../support/truth-provider/truth-provider';

describe('RateLimit headers of answers', () => {
  let truth: TruthProvider;
  let app: TestApp;

  beforeAll(async () => {
    truth = await startTruthProvider();
    app = await startApp({ OPENAI_BASE_URL: truth.url, RATE_LIMIT_USER_PER_HOUR: '1000' });
  });

  afterAll(async () => {
    await app.close();
    await truth.stop();
  });

  it.each([
    ['JSON', false],
    ['streams', true],
  ])('stand on %s, one less each time', async (_, stream) => {
    const account = await app.register();
    const read = async (): Promise<(string | null)[]> => {
      const answer = await app.chat(account.key, { stream });
      expect(answer.status).toBe(200);
      expect(answer.headers.get('ratelimit-reset')).toMatch(/^\d{1,4}$/);
      return ['limit', 'policy', 'remaining'].map((name) => answer.headers.get(`ratelimit-${name}`));
    };
    const [first, second] = [await read(), await read()];
    expect(first.slice(0, 2)).toEqual(['1000', '1000;w=3600']);
    expect(Number(first[2]) - Number(second[2])).toBe(1);
  });
});
