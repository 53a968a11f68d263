/** One of everything that a user can own, made over HTTP, and a fingerprint of it in PostgreSQL. */
import { fromApiId, toApiId } from '../../../src/common/index';
import { PlansRepository } from '../../../src/projects/plans/plan.repository';
import { PlanResults } from '../../../src/projects/plans/plan-results.service';
import type { Account, Answer, TestApp } from '../../support/app';

/** API ids by the route that takes them. */
export interface Belongings {
  readonly account: Account;
  readonly ids: Readonly<Record<string, string>>;
}

async function created(app: TestApp, route: string, body: object, credential: string): Promise<string> {
  const answer: Answer<{ id?: string }> = await app.call('POST', route, { body, credential });
  if (!answer.body.id) throw new Error(`POST ${route} answered ${answer.status}: ${answer.text}`);
  return answer.body.id;
}

/** A key, an agent, a credential, an MCP server, a budget and a limit of the key, a webhook, a project, a decision, a response, a rating, and what administrators set on the user. */
export async function belongingsOf(app: TestApp, account: Account): Promise<Belongings> {
  const { accessToken, userId } = account;
  const key = await created(app, '/api/v1/keys', { name: 'mine' }, accessToken);
  const budget = { scope: 'key', scopeId: key, period: 'day', limitUsd: '5', mode: 'hard' };
  const limit = { scope: 'key', scopeId: key, requestsPerMinute: 1000 };
  const webhook = { url: 'https://example.com/hook', events: ['*'] };
  const chat = await app.call('POST', '/v1/chat/completions', {
    body: { model: 'sandbox/small', messages: [{ role: 'user', content: 'mine' }] },
    credential: accessToken,
  });
  const requestId = chat.headers.get('x-lattice-request-id') ?? '';
  await created(app, `/v1/chat/completions/${requestId}/feedback`, { score: 1 }, accessToken);
  const response = await created(
    app,
    '/v1/responses',
    { model: 'sandbox/small', input: 'mine' },
    accessToken,
  );
  // Switched off, because calls with it would go to the provider itself.
  const credential = await created(
    app,
    '/api/v1/credentials',
    { provider: 'openai', apiKey: 'an-example-key-that-no-provider-knows', isActive: false },
    accessToken,
  );
  const server = { name: 'mine', url: 'https://example.com/mcp' };
  const agent = { type: 'mine', description: 'Mine.', model: 'auto' };
  const project = await projectOf(app, account);
  const invite = await created(app, '/api/v1/users/invites', {}, app.admin.accessToken);
  return {
    account,
    ids: {
      '/api/v1/keys/{id}': key,
      '/api/v1/agents/{type}': await created(app, '/api/v1/agents', agent, accessToken),
      '/api/v1/credentials/{id}': credential,
      '/api/v1/mcp-servers/{id}': await created(app, '/api/v1/mcp-servers', server, accessToken),
      '/api/v1/budgets/{id}': await created(app, '/api/v1/budgets', budget, accessToken),
      '/api/v1/limits/{id}': await created(app, '/api/v1/limits', limit, accessToken),
      '/api/v1/webhooks/{id}': await created(app, '/api/v1/webhooks', webhook, accessToken),
      '/api/v1/decisions/{id}': chat.headers.get('x-lattice-decision-id') ?? '',
      '/api/v1/events/{resource}': userId,
      ...project,
      '/api/v1/users/{id}': userId,
      '/api/v1/users/invites/{id}': invite,
      '/v1/chat/completions/{id}': requestId,
      '/v1/responses/{id}': response,
    },
  };
}

/** A project with an approved plan and its task. */
async function projectOf(app: TestApp, { accessToken }: Account): Promise<Record<string, string>> {
  const wanted = { name: 'mine', requirements: 'mine' };
  const project = await created(app, '/api/v1/projects', wanted, accessToken);
  const plan = await created(app, `/api/v1/projects/${project}/plan`, {}, accessToken);
  const planId = fromApiId('pln', plan) ?? '';
  const text = JSON.stringify({ tasks: [{ title: 'mine', agent: 'writer' }] });
  await app.database.transaction(async (tx) => {
    const answer = { text, model: 'sandbox/small', finishReason: 'stop' };
    await app.app.get(PlansRepository).keep(tx, planId, 'ask', answer);
    await app.app.get(PlanResults).finish(tx, planId);
  });
  await app.call('POST', `/api/v1/plans/${plan}/approve`, { body: {}, credential: accessToken });
  const [task] = await app.database.query<{ id: string }[]>(
    'select t.id from tasks t join project_runs r on r.id = t.run_id where r.plan_id = $1',
    [planId],
  );
  return {
    '/api/v1/projects/{id}': project,
    '/api/v1/plans/{id}': plan,
    '/api/v1/tasks/{id}': toApiId('tsk', task?.id ?? ''),
  };
}

const OWNED_ROWS: Readonly<Record<string, string>> = {
  users: 'select id, email, name, role, password_hash, disabled_at from users where id = $1',
  api_keys:
    'select id, user_id, name, scopes, allowed_models, key_hash, expires_at, revoked_at from api_keys where user_id = $1',
  provider_credentials: 'select * from provider_credentials where user_id = $1',
  agents: 'select * from agents where user_id = $1',
  mcp_servers: 'select * from mcp_servers where user_id = $1',
  projects: 'select * from projects where user_id = $1',
  plans: 'select * from plans where user_id = $1',
  project_runs: 'select * from project_runs where user_id = $1',
  tasks: 'select * from tasks where user_id = $1',
  webhooks: 'select * from webhooks where user_id = $1',
  routing_preferences:
    'select user_id as id, strategies, quality from routing_preferences where user_id = $1',
  decisions: 'select id, user_id from decisions where user_id = $1',
  responses: 'select * from responses where user_id = $1',
  routing_outcomes: 'select * from routing_outcomes where user_id = $1',
  budgets:
    'select id, scope_id, period, limit_pico, mode from budgets where scope_id in (select id from api_keys where user_id = $1 union select $1)',
  limits:
    'select l.* from limits l where scope_id in (select id from api_keys where user_id = $1 union select $1)',
};

/** Everything that stands in the database for this user, as text; the same text means that nothing was changed. */
export async function stateOf(app: TestApp, account: Account): Promise<string> {
  const userId = fromApiId('usr', account.userId);
  const tables = Object.entries(OWNED_ROWS).map(async ([table, sql]) => {
    const rows: unknown[] = await app.database.query(
      `select coalesce(json_agg(t order by t.id), '[]') as rows from (${sql}) t`,
      [userId],
    );
    return [table, rows] as const;
  });
  return JSON.stringify(await Promise.all(tables), null, 1);
}

/** The belonging that a route takes: by its whole path, or by the longest beginning of it. */
export function ownedPart(path: string, ids: Readonly<Record<string, string>>): string | undefined {
  return Object.keys(ids)
    .filter((prefix) => path === prefix || path.startsWith(`${prefix}/`))
    .toSorted((left, right) => right.length - left.length)[0];
}
