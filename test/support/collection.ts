import type { Answer, TestApp } from './app';

/** The body of every answer that is an error. */
export interface Failure {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly param?: string;
    readonly details?: Record<string, unknown>;
  };
}

export interface Page<Item> {
  readonly data: Item[];
  readonly nextCursor: string | null;
}

export interface Collection<Item> {
  post(body: object): Promise<Answer<Item & Failure>>;
  get(id: string): Promise<Answer<Item & Failure>>;
  list(query?: string): Promise<Answer<Page<Item> & Failure>>;
  patch(id: string, body: object): Promise<Answer<Item & Failure>>;
  remove(id: string): Promise<Answer<Failure>>;
}

/** The verbs of one REST collection, as one caller. */
export function collection<Item>(app: TestApp, route: string, credential: string): Collection<Item> {
  return {
    post: (body) => app.call('POST', route, { credential, body }),
    get: (id) => app.call('GET', `${route}/${id}`, { credential }),
    list: (query = '') => app.call('GET', `${route}${query}`, { credential }),
    patch: (id, body) => app.call('PATCH', `${route}/${id}`, { credential, body }),
    remove: (id) => app.call('DELETE', `${route}/${id}`, { credential }),
  };
}
