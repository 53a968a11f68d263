/** Promise: whoever follows a project gets every event once and in order, over dropped connections and dead processes. */
import { type EventConnection, connectEvents } from '../support/event-source';
import { eventually } from '../support/eventually';
import { proofModelsFolder } from '../support/proof/models';
import { PROJECT_ENV, ProjectWork, scriptOf, type StartedProject } from '../support/proof/project-work';
import { type Random, withRandom } from '../support/proof/random';
import { ServiceCluster } from '../support/proof/service-cluster';
import { proofSize, reportProof } from '../support/proof-report';

const DROPS = proofSize(10, 50);
const TASKS = proofSize(20, 120);
const ROUNDS = proofSize(2, 3);
const AT_ONCE = 3;
const PROCESSES = proofSize(2, 3);
const TIMEOUT_MS = proofSize(150_000, 600_000);
/** Of the last event of a project. */
const LAST = 'project.completed';

interface StoredEvent {
  readonly id: string;
  readonly type: string;
}

describe('following a project', () => {
  let cluster: ServiceCluster;
  let work: ProjectWork;

  beforeAll(async () => {
    const env = {
      ...PROJECT_ENV,
      LATTICE_CONFIG_DIR: proofModelsFolder(),
      TASK_CONCURRENCY: String(AT_ONCE),
    };
    cluster = await ServiceCluster.start({ processes: PROCESSES, env });
    work = await ProjectWork.of(cluster, await cluster.register());
  }, TIMEOUT_MS);

  afterAll(() => (cluster as ServiceCluster | undefined)?.close());

  /** As they stand in the database, in the order in which they were published. */
  async function stored({ id }: StartedProject): Promise<readonly StoredEvent[]> {
    const { rows } = await cluster.books.pool.query<StoredEvent>(
      `select position::text as id, type from events where resource = $1 order by position`,
      [id],
    );
    return rows;
  }

  it(
    'brings every event once and in order',
    () =>
      withRandom(async (random) => {
        const tasks = Array.from({ length: TASKS }, (_, index) => ({
          title: `Task ${index}`,
          description: scriptOf(ROUNDS, { delayMs: random.int(20, 200) }),
        }));
        const project = await work.approvable(tasks);
        const follower = new Follower(cluster, work, project, random);
        const following = follower.follow();
        await work.start(project);
        await work.until(project, 'completed', TIMEOUT_MS);
        await following;
        const events = await stored(project);
        reportProof(15, {
          processes: PROCESSES,
          events: events.length,
          'connections dropped by the client': follower.drops,
          'serving processes killed': follower.kills,
          'connections in all': follower.connections,
          'events received': follower.received.length,
          'missing, repeated or out of order': 0,
        });
        expect(follower.received.map(({ type }) => type)).toEqual(events.map(({ type }) => type));
        expect(follower.received.map(({ id }) => id)).toEqual(events.map(({ id }) => id));
        expect(events.at(-1)?.type).toBe(LAST);
        expect(follower.drops).toBe(DROPS);
        expect(follower.kills).toBe(1);
      }),
    TIMEOUT_MS,
  );
});

interface Received {
  readonly id: string | undefined;
  readonly type: unknown;
}

/** A browser with a bad line: it goes on where it was, on any process, with a new token each time. */
class Follower {
  readonly received: Received[] = [];
  drops = 0;
  kills = 0;
  connections = 0;
  private lastId = '0';

  constructor(
    private readonly cluster: ServiceCluster,
    private readonly work: ProjectWork,
    private readonly project: StartedProject,
    private readonly random: Random,
  ) {}

  async follow(): Promise<void> {
    while (this.received.at(-1)?.type !== LAST) {
      const slot = this.random.int(0, PROCESSES - 1);
      const connection = await eventually(() => this.connect(slot), TIMEOUT_MS);
      this.connections += 1;
      await this.read(connection, slot);
    }
  }

  /** Undefined: nobody serves there now. */
  private async connect(slot: number): Promise<EventConnection | undefined> {
    const url = this.cluster.url(slot);
    if (url === undefined) return undefined;
    const { id } = this.project;
    const { token } = await this.work.must<{ token: string }>('POST', `/events/${id}/token`, { url });
    const connection = await connectEvents(`${url}/api/v1/projects/${id}/events?token=${token}`, {
      'last-event-id': this.lastId,
    });
    if (connection.status !== 200) throw new Error(JSON.stringify(connection.body));
    return connection;
  }

  /** Some events; then the line breaks, or, once, the process that serves it dies. What came beyond them is lost. */
  private async read(connection: EventConnection, slot: number): Promise<void> {
    const { events } = connection;
    const wanted = this.drops < DROPS ? this.random.int(1, 4) : Infinity;
    await eventually(
      () => Promise.resolve(events.length >= wanted || events.at(-1)?.data.type === LAST || undefined),
      TIMEOUT_MS,
    );
    const taken = events.slice(0, wanted).map(({ id, data }) => ({ id, type: data.type }));
    this.received.push(...taken);
    this.lastId = taken.at(-1)?.id ?? this.lastId;
    if (this.kills === 0 && this.drops >= DROPS / 2) await this.killServing(slot);
    else if (this.drops < DROPS) this.drops += 1;
    connection.close();
    await connection.ended.catch(() => undefined);
  }

  private async killServing(slot: number): Promise<void> {
    this.kills += 1;
    await this.cluster.kill(slot);
    await this.cluster.restart(slot);
  }
}
