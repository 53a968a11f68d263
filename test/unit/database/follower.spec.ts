import { Follower, type NotificationHandler, type Notifications } from '../../../src/database/index';

const INTERVAL_MS = 1000;
const CHANNEL = 'changes';

/** Follows a number that stands somewhere else. */
class Copy extends Follower {
  reads = 0;
  value = 0;

  constructor(
    private readonly source: { value: number },
    { notifications, intervalMs }: { notifications: Notifications; intervalMs: number },
  ) {
    super(notifications, { name: 'copying', channel: CHANNEL, intervalMs });
  }

  protected async read(): Promise<void> {
    this.reads += 1;
    this.value = this.source.value;
  }

  protected override isNews(payload: string): boolean {
    return payload !== String(this.value);
  }
}

/** Hears what the test tells. */
function following(intervalMs = INTERVAL_MS) {
  const heard = new Map<string, NotificationHandler>();
  const reconnected: (() => void)[] = [];
  const source = { value: 1 };
  const notifications: Pick<Notifications, 'on' | 'onReconnect'> = {
    on: (channel, handler) => {
      heard.set(channel, handler);
      return () => undefined;
    },
    onReconnect: (handler) => void reconnected.push(handler),
  };
  const copy = new Copy(source, { notifications: notifications as Notifications, intervalMs });
  copy.onModuleInit();
  const tell = (value: number): void => {
    source.value = value;
    heard.get(CHANNEL)?.(String(value));
  };
  return { copy, source, tell, reconnect: () => reconnected.forEach((handler) => handler()) };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
}

describe(Follower.name, () => {
  beforeEach(() => void jest.useFakeTimers());
  afterEach(() => void jest.useRealTimers());

  it('has read once when the application is up', async () => {
    const { copy } = following();
    await copy.onApplicationBootstrap();
    expect(copy).toMatchObject({ reads: 1, value: 1 });
    await copy.beforeApplicationShutdown();
  });

  it('reads again when it is told of something new, and not when it knows that already', async () => {
    const { copy, tell } = following();
    await copy.onApplicationBootstrap();
    tell(1);
    await settle();
    expect(copy.reads).toBe(1);
    tell(2);
    await settle();
    expect(copy).toMatchObject({ reads: 2, value: 2 });
    await copy.beforeApplicationShutdown();
  });

  it('reads again when the connection is back and once per interval, for what no notification told', async () => {
    const { copy, source, reconnect } = following();
    await copy.onApplicationBootstrap();
    source.value = 2;
    reconnect();
    await settle();
    expect(copy.value).toBe(2);
    source.value = 3;
    jest.advanceTimersByTime(INTERVAL_MS);
    await settle();
    expect(copy.value).toBe(3);
    await copy.beforeApplicationShutdown();
  });

  it('follows nothing without an interval, and still reads when it is asked to', async () => {
    const { copy, tell, reconnect } = following(0);
    await copy.onApplicationBootstrap();
    tell(2);
    reconnect();
    await settle();
    expect(copy.reads).toBe(0);
    await copy.now();
    expect(copy).toMatchObject({ reads: 1, value: 2 });
  });

  it('reads no more once the application goes', async () => {
    const { copy, tell, reconnect } = following();
    await copy.onApplicationBootstrap();
    await copy.beforeApplicationShutdown();
    tell(2);
    reconnect();
    jest.advanceTimersByTime(INTERVAL_MS);
    await settle();
    expect(copy.reads).toBe(1);
  });
});
