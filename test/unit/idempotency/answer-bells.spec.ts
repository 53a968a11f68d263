import type { Notifications } from '../../../src/database/index';
import { AnswerBells } from '../../../src/idempotency/answer-bells.service';

function bells() {
  const heard: { notify?: (topic: string) => void; reconnect?: () => void } = {};
  const notifications = {
    on: (_: string, handler: (topic: string) => void) => (heard.notify = handler),
    onReconnect: (handler: () => void) => (heard.reconnect = handler),
  };
  return { heard, bells: new AnswerBells(notifications as unknown as Notifications) };
}

const never = new AbortController().signal;
const LONG_MS = 60_000;

describe(AnswerBells.name, () => {
  it('wakes everybody who waits for the topic, and nobody else', async () => {
    const { heard, bells: subject } = bells();
    const [one, two, other] = ['a', 'a', 'b'].map((topic) => subject.listen(topic));
    const both = Promise.all([one?.wait(LONG_MS, never), two?.wait(LONG_MS, never)]);
    const client = new AbortController();
    let isOtherAwake = false;
    const third = other?.wait(LONG_MS, client.signal).then(() => (isOtherAwake = true));
    heard.notify?.('a');
    await both;
    expect(isOtherAwake).toBe(false);
    client.abort();
    await third;
  });

  it('keeps a ring for the next wait, once', async () => {
    const { heard, bells: subject } = bells();
    const bell = subject.listen('a');
    heard.notify?.('a');
    await bell.wait(LONG_MS, never);
    const client = new AbortController();
    let isAwake = false;
    const second = bell.wait(LONG_MS, client.signal).then(() => (isAwake = true));
    await Promise.resolve();
    expect(isAwake).toBe(false);
    client.abort();
    await second;
  });

  it('ends a wait with its time, and with a signal that has fired already', async () => {
    const { bells: subject } = bells();
    const bell = subject.listen('a');
    await bell.wait(1, never);
    await expect(bell.wait(LONG_MS, AbortSignal.abort())).resolves.toBeUndefined();
  });

  it('wakes everybody when the connection is back, because something may have been missed', async () => {
    const { heard, bells: subject } = bells();
    const waiting = subject.listen('a').wait(LONG_MS, never);
    heard.reconnect?.();
    await expect(waiting).resolves.toBeUndefined();
  });

  it('forgets who has stopped', () => {
    const { bells: subject } = bells();
    const bell = subject.listen('a');
    expect(subject.topicCount).toBe(1);
    bell.stop();
    expect(subject.topicCount).toBe(0);
  });
});
