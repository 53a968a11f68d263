import type { TestApp } from './app';
import { eventually } from './eventually';

const LIMIT_MS = 30_000;

/** Makes what the routes with an id in their path ask for, as their reader would: over REST, and with the sandbox's model. */
export class ExampleResources {
  /** One for each route: an API id for its path. A route that is not here has no resource to run its examples on. */
  private readonly makers: Readonly<Record<string, () => Promise<string>>> = {
    '/api/v1/projects/{id}/plan': () => this.project(),
    '/api/v1/plans/{id}/approve': async () => (await this.plan()).id,
    '/api/v1/projects/{id}/fork': () => this.endedProject(),
  };

  constructor(private readonly app: TestApp) {}

  /** The route with an id of a new resource in its place. */
  async filledIn(route: string): Promise<string> {
    if (!route.includes('{')) return route;
    const make = this.makers[route];
    if (!make) throw new Error(`Nothing makes a resource for ${route}`);
    return route.replace('{id}', await make());
  }

  private async project(): Promise<string> {
    const { id } = await this.must<{ id: string }>('POST', '/projects', {
      name: 'Example',
      requirements: 'A page about the sea.',
    });
    return id;
  }

  private async plan(): Promise<{ readonly id: string; readonly project: string }> {
    const project = await this.project();
    const { id } = await this.must<{ id: string }>('POST', `/projects/${project}/plan`, {});
    await this.until(`/plans/${id}`, ({ state }) => state === 'ready');
    return { id, project };
  }

  private async endedProject(): Promise<string> {
    const { id, project } = await this.plan();
    await this.must('POST', `/plans/${id}/approve`, { start: true });
    await this.until(`/projects/${project}`, ({ status }) => status === 'completed');
    return project;
  }

  private async until(
    route: string,
    isThere: (body: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<void> {
    await eventually(async () => isThere(await this.must('GET', route)) || undefined, LIMIT_MS);
  }

  private async must<T>(method: string, route: string, body?: object): Promise<T> {
    // Not with the key, which other examples set limits to.
    const credential = this.app.admin.accessToken;
    const answer = await this.app.call<T>(method, `/api/v1${route}`, { body, credential });
    if (answer.status >= 300) throw new Error(`${method} ${route}: ${answer.status} ${answer.text}`);
    return answer.body;
  }
}
