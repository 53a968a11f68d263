/** What the sandbox answers when it is asked for the plan of a project, so that one can be tried without any provider. */
import { isJsonObject, type JsonObject, type JsonValue, type ResponseFormat } from '../../../common/index';

/** As the planner names its schema. */
const PLAN_SCHEMA = 'lattice_plan';
const NAME = /of the project "([^"\n]{1,200})"/;
const COUNT = /^1 to (\d+) tasks/;

interface SketchedTask {
  readonly title: string;
  readonly description: string;
  /** The first of these that there is. */
  readonly agents: readonly string[];
  readonly dependsOn: readonly number[];
  readonly deliverable: string;
}

const TASKS: readonly SketchedTask[] = [
  {
    title: 'Collect what is known',
    description: 'List what the requirements ask for, what they leave open, and what has to be found out.',
    agents: ['researcher', 'analyst'],
    dependsOn: [],
    deliverable: 'A list of facts and open questions',
  },
  {
    title: 'Design the solution',
    description: 'Decide on the parts, and say how they fit together and why.',
    agents: ['analyst', 'coder'],
    dependsOn: [0],
    deliverable: 'A design of one page',
  },
  {
    title: 'Build it',
    description: 'Make what the design describes, completely.',
    agents: ['coder', 'writer'],
    dependsOn: [1],
    deliverable: 'The finished work',
  },
  {
    title: 'Write the guide',
    description: 'Explain to whoever gets it how it is used.',
    agents: ['writer', 'coder'],
    dependsOn: [1],
    deliverable: 'A guide in Markdown',
  },
  {
    title: 'Review everything',
    description: 'Compare work and guide with the requirements, and name every gap.',
    agents: ['reviewer', 'analyst'],
    dependsOn: [2, 3],
    deliverable: 'A list of findings, the gravest first',
  },
];

/** The schema, when it is the one of plans. */
export function planSchemaIn(format: ResponseFormat | undefined): JsonObject | undefined {
  const schema = format?.json_schema;
  return schema?.name === PLAN_SCHEMA && isJsonObject(schema.schema) ? schema.schema : undefined;
}

/** The same few tasks for every project, with its name in the summary. @param asked the question of the planner */
export function sandboxPlan(schema: JsonObject, asked: string): JsonObject {
  const tasks = partOf(partOf(schema, 'properties'), 'tasks');
  const agent = partOf(partOf(partOf(tasks, 'items'), 'properties'), 'agent');
  const known = Array.isArray(agent.enum) ? (agent.enum as readonly JsonValue[]) : [];
  const limit = typeof tasks.description === 'string' ? COUNT.exec(tasks.description)?.[1] : undefined;
  const [, name = 'the project'] = NAME.exec(asked) ?? [];
  return {
    summary: `This plan of “${name}” is from the Lattice sandbox, which plans the same for every project.`,
    tasks: TASKS.slice(0, Number(limit ?? TASKS.length)).map(({ agents, deliverable, ...task }) => ({
      ...task,
      agent: agents.find((type) => known.includes(type)) ?? known[0] ?? 'writer',
      deliverables: [deliverable],
      successCriteria: ['Nothing that the requirements ask for is missing'],
      priority: 50,
      maxTokens: 2048,
    })),
  };
}

function partOf(value: JsonObject, name: string): JsonObject {
  const part = value[name];
  return isJsonObject(part) ? part : {};
}
