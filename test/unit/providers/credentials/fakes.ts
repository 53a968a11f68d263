import type { ProviderId } from '../../../../src/common/index';
import type { Notifications } from '../../../../src/database/index';
import type { BackgroundTasks } from '../../../../src/observability/index';
import type { CredentialSecret } from '../../../../src/providers/credentials/credential-secret';
import type {
  ActiveCredential,
  CredentialStore,
} from '../../../../src/providers/credentials/credential-store';

export const active = (userId: string, provider: ProviderId, version = 1): ActiveCredential => ({
  id: `${userId}-${provider}`,
  version,
  userId,
  provider,
});

/** The table as the test wants it; every method is a mock. */
export function aStore(rows: ActiveCredential[] = []) {
  const secrets = new Map<string, CredentialSecret | undefined>();
  return {
    rows,
    secrets,
    active: jest.fn(async (ownerId?: string): Promise<readonly ActiveCredential[]> => {
      return rows.filter(({ userId }) => ownerId === undefined || userId === ownerId);
    }),
    secret: jest.fn(
      async ({ id, version }: ActiveCredential): Promise<{ secret?: CredentialSecret } | 'gone'> => {
        const row = rows.find((one) => one.id === id && one.version === version);
        if (!row) return 'gone';
        return { secret: secrets.has(id) ? secrets.get(id) : { apiKey: `key-${id}-${version}` } };
      },
    ),
    touch: jest.fn(async ({ id, version }: { id: string; version: number }) =>
      rows.some((row) => row.id === id && row.version === version),
    ),
  };
}

export type FakeStore = ReturnType<typeof aStore>;
export const asStore = (store: FakeStore): CredentialStore => store as unknown as CredentialStore;

/** Notifications that a test sends by hand. */
export function someNotifications() {
  let heard: (payload: string) => void = () => undefined;
  let reconnected: () => void = () => undefined;
  const notifications = {
    on: (_channel: string, handler: (payload: string) => void) => void (heard = handler),
    onReconnect: (handler: () => void) => void (reconnected = handler),
  } as unknown as Notifications;
  return {
    notifications,
    notify: (payload: string) => heard(payload),
    reconnect: () => reconnected(),
  };
}

/** Background work that the test waits for. */
export function someBackground() {
  const running: Promise<void>[] = [];
  const background = {
    run: (_name: string, work: (signal: AbortSignal) => Promise<void>) =>
      void running.push(work(new AbortController().signal)),
  } as unknown as BackgroundTasks;
  return { background, done: () => Promise.all(running) };
}

/** A promise and its ends. */
export function gate<T>() {
  let open: (value: T) => void = () => undefined;
  let fail: (error: Error) => void = () => undefined;
  const promise = new Promise<T>((resolve, reject) => ([open, fail] = [resolve, reject]));
  return { promise, open, fail };
}
