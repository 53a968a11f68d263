import {
  AppLogger,
  BackgroundTasks,
  OpenRequests,
  RequestState,
  ShutdownError,
} from '../../../src/observability/index';

const logger = () => ({ event: jest.fn() }) as unknown as jest.Mocked<Pick<AppLogger, 'event'>>;

describe(BackgroundTasks.name, () => {
  it('waits for running work at shutdown', async () => {
    const tasks = new BackgroundTasks(logger() as never);
    let finish: () => void = () => undefined;
    let isDone = false;
    tasks.run('slow', () =>
      new Promise<void>((resolve) => (finish = resolve)).then(() => void (isDone = true)),
    );
    const drained = tasks.drain(10_000);
    finish();
    await drained;
    expect([isDone, tasks.count]).toEqual([true, 0]);
  });

  it('tells what does not end within the limit to stop, and names it', async () => {
    const log = logger();
    const tasks = new BackgroundTasks(log as never);
    let signal: AbortSignal | undefined;
    tasks.run('endless', (given) => {
      signal = given;
      return new Promise(() => undefined);
    });
    await tasks.drain(5);
    expect(signal?.aborted).toBe(true);
    expect(log.event).toHaveBeenCalledWith('background_task', expect.objectContaining({ task: 'endless' }));
  });

  it('logs a failure under the name and goes on', async () => {
    const log = logger();
    const tasks = new BackgroundTasks(log as never);
    tasks.run('broken', () => Promise.reject(new Error('no')));
    await tasks.drain(1000);
    expect(log.event).toHaveBeenCalledWith(
      'background_task',
      expect.objectContaining({ task: 'broken', err: expect.objectContaining({ code: 'BACKGROUND_TASK' }) }),
    );
  });
});

describe(OpenRequests.name, () => {
  it('returns at once when nothing is open', async () => {
    await expect(new OpenRequests().drain(60_000, 60_000)).resolves.toBeUndefined();
  });

  it('waits for requests and for the work behind a client that hung up', async () => {
    const open = new OpenRequests();
    const state = new RequestState();
    open.add(state);
    open.enterWork();
    const drained = open.drain(60_000, 60_000);
    open.remove(state);
    expect(open.count).toBe(1);
    open.leaveWork();
    await drained;
    expect(state.controller.signal.aborted).toBe(false);
  });

  it('aborts what does not end within the limit and gives it the grace to end', async () => {
    const open = new OpenRequests();
    const state = new RequestState();
    open.add(state);
    state.controller.signal.addEventListener('abort', () => open.remove(state));
    await open.drain(5, 60_000);
    expect(state.controller.signal.reason).toBeInstanceOf(ShutdownError);
    expect(open.isDraining).toBe(true);
  });
});

describe(RequestState.name, () => {
  it('takes the trace of the caller and makes one otherwise', () => {
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    expect(new RequestState(`00-${trace}-00f067aa0ba902b7-01`).traceId).toBe(trace);
    expect(new RequestState('nonsense').traceId).toMatch(/^[0-9a-f]{32}$/);
  });

  it('gives no context without a caller', () => {
    expect(() => new RequestState().context()).toThrow('principal');
  });
});
