// What is proven, by which file, and how docs/proofs.md tells it.

/** In the order of the document. `number` is what `npm run proof -- <number>` and the notes of the proofs say. */
export const proofs = [
  {
    number: 1,
    file: 'budget',
    title: 'A hard budget is never passed and never falsely refused',
    proves:
      'Calls of exactly $0.10 arrive at once at several processes under one cap of $5: exactly 50 are admitted. Spent plus held, read all the time over another connection, is never above the cap. Then a process is killed with requests in flight: once its lease has run out nothing is held, and one more call is admitted as soon as there is money for it.',
  },
  {
    number: 2,
    file: 'exactness',
    title: 'Money is exact to the last digit',
    proves:
      'Random usages (cached, cache-write, one-hour, reasoning tokens; tiers; prices from a millionth of a dollar per million tokens to a dollar per token) are settled under two books of prices. The sums in PostgreSQL and in the usage report equal the oracle, and re-rating with the prices that were booked changes nothing.',
    oracle: 'a sum of whole numbers, written from the price rules alone',
  },
  {
    number: 3,
    file: 'cut-streams',
    title: 'A cut stream is never $0',
    proves:
      'Streams end at a random point: the caller leaves, or the provider cuts the connection, stops in the middle of an event, ends early, stalls, sends an error or a malformed line, or never stops. Each attempt has one line, which equals the log or is a labelled upper bound that is not below it; none that was charged is booked at $0.',
  },
  {
    number: 4,
    file: 'fault-scripts',
    title: 'Every attempt is booked at its own model and price',
    proves:
      'Zero to four attempts fail, each in its own way, over chains of differently priced models, before one answers; half-way an operator changes a price. The lines are the attempts in the log, one each, at the model and the price version of that attempt; what the provider refused costs $0.',
  },
  {
    number: 5,
    file: 'crash',
    title: 'kill -9 loses no attempt and leaves no hold',
    proves:
      'Processes are killed at random moments while they answer, stream, run tools and try again, and are started again under load. Every attempt in the log is booked exactly once. Lines beyond the log are upper bounds of requests that were in flight at a kill. Within 20 s of each kill nothing is held for it, and the counters equal the lines.',
  },
  {
    number: 6,
    file: 'routes',
    title: 'Every metered route ends in one ledger state',
    proves:
      'Every metered route, streamed and not, answers well, fails with 4xx and 5xx, and loses its caller: each time the ledger ends in exactly one state. A route that is not classified fails the proof.',
  },
  {
    number: 7,
    file: 'outage',
    title: 'A database that is down is 503, and nothing is lost',
    proves:
      'PostgreSQL is stopped under load. No valid key gets 401, no settled attempt is lost, and the service recovers by itself within 5 s.',
  },
  {
    number: 8,
    file: 'ownership',
    title: 'Nobody reaches what is not theirs',
    proves:
      'Generated from the OpenAPI document: every route with a foreign id in every role, and every writable field with a value that would change privileges. No route is forgotten.',
    oracle: 'the rows in PostgreSQL',
  },
  {
    number: 9,
    file: 'failover',
    title: 'Every fault has one outcome',
    proves:
      'Two providers sell the same model. The first one fails in each of these ways, for a JSON request and for a streamed one: what the client sees, and what is booked, attempt by attempt. What was charged is never booked at $0; an upper bound stands where nobody but the provider knows. Circuit breakers are off and pauses begin at 5 ms, so that each fault is met on its own; the row of the open breaker has them on.',
    columns: ['fault at the first provider', 'the client sees', 'booked'],
  },
  {
    number: 10,
    file: 'routing',
    title: 'Routing never plans with what cannot serve, and every decision replays',
    proves:
      'Random requests meet random catalogs, keys, guides and experiments: no plan holds a model that lacks what its request needs, that its key may not use, or that is below its quality target. Then decisions of the shipped catalog, under changing prices, preferences, capabilities, measured performance and running experiments, are stored in PostgreSQL, and each is replayed from its row to the same model, candidates, scores and filters.',
    oracle: 'what each request was made to need, and the rows as they were stored',
  },
  {
    number: 11,
    file: 'projects-chaos',
    title: 'A project survives the death of everything',
    proves:
      'Three processes carry out a project of many tasks of several rounds each. At random one of them is killed with `kill -9` and started again, one is stopped for longer than its lease, and PostgreSQL is ended as if it had crashed. Every task succeeds. A call is made again only when its process died or stood still before the answer was kept; each is booked as any other call, and at the end nothing is held. Then processes are killed one at a time while the others are well: the time to resume is from the kill to the first call for a task that the dead process had in flight.',
  },
  {
    number: 12,
    file: 'projects-budget',
    title: 'A project never spends more than its budget',
    proves:
      'Tasks with random costs, all at once, want far more than the budget of their project. Spent plus held, read all the time over another connection, is never above it. Every task that was stopped keeps all that its model had told it.',
  },
  {
    number: 13,
    file: 'projects-zombie',
    title: 'A process that was given up writes nothing',
    proves:
      'A process is stopped with calls in flight until its lease is over and another one has finished its tasks; then it goes on. What it had asked for is answered and booked, and no row of the project is another one than before.',
    oracle: 'the rows in PostgreSQL, and the log of the truth provider',
  },
  {
    number: 14,
    file: 'projects-waiting',
    title: 'A task that waits holds no slot',
    proves:
      'At a concurrency of four, half of the tasks are told 429 with Retry-After by their provider. Who has a slot, by the state of the task and by its durable run, is read all the time: none of those that wait ever has one, and the other half goes on.',
    oracle: 'the rows in PostgreSQL, and the log of the truth provider',
  },
  {
    number: 15,
    file: 'projects-events',
    title: 'Who follows a project misses nothing',
    proves:
      'A client follows a project while its connection is dropped again and again, each time in the middle, and a process that serves it is killed. It goes on with `Last-Event-ID`, on any process: it has every event once and in order.',
    oracle: 'the rows in PostgreSQL',
  },
  {
    number: 16,
    file: 'projects-crowd',
    title: 'A crowd of tasks fits in the same memory',
    proves:
      'Projects of many tasks at once, one after the other, all succeed, and the process needs no more memory for the last one than for the second. Three tasks of two seconds end in less than three.',
  },
  {
    number: 17,
    file: 'projects-graphs',
    title: 'Every task runs after those it depends on',
    proves:
      'Random plans, with dependencies by position and by title. One with a circle is refused, and the refusal names a circle that is there. Of every other one, each task is asked for after all that it depends on have been answered.',
  },
];

const usualOracle = 'the log of the truth provider, a mock provider in a process of its own';

const head = `# Proofs

Each promise about money and availability has a proof: a test whose oracle is not the product. This page is written by
\`npm run proof\`, which runs them at full size; \`npm test\` runs the same proofs small. \`npm run proof -- 3\` repeats one.
`;

/** The files of the wanted proofs, all when none is named. @throws RangeError for a number that is no proof. */
export function wantedProofs(numbers) {
  const unknown = numbers.filter((number) => !proofs.some((proof) => String(proof.number) === number));
  if (unknown.length > 0) {
    const known = proofs.map(({ number, title }) => `  ${number}  ${title}`).join('\n');
    throw new RangeError(`There is no proof ${unknown.join(', ')}. There are:\n${known}`);
  }
  return numbers.length === 0 ? proofs : proofs.filter(({ number }) => numbers.includes(String(number)));
}

/** Figures by proof, from the notes (one JSON object per line); later notes of a proof add to earlier ones. */
export function figuresOf(notes) {
  const figures = new Map();
  for (const line of notes.split('\n').filter(Boolean)) {
    const note = JSON.parse(line);
    figures.set(note.proof, { ...figures.get(note.proof), ...note.figures });
  }
  return figures;
}

/**
 * The document with these results in it; sections of proofs that were not run stay as they are.
 * @param {string} document what stands there so far
 * @param {{ number: number, figures: object }[]} results of proofs that held
 * @param {{ date: string, node: string, postgres: string, cores: number }} machine
 */
export function withResults(document, results, machine) {
  const standing = sectionsOf(document);
  const sections = proofs.flatMap((proof) => {
    const result = results.find(({ number }) => number === proof.number);
    const section = result ? sectionOf(proof, result.figures, machine) : standing.get(proof.number);
    return section ? [section] : [];
  });
  return [head, ...sections].join('\n');
}

function sectionsOf(document) {
  const sections = document.split(/^(?=## )/m).slice(1);
  return new Map(sections.map((text) => [Number(/^## (\d+)/.exec(text)?.[1]), `${text.trimEnd()}\n`]));
}

function sectionOf(proof, figures, machine) {
  const { number, title, proves, oracle = usualOracle, columns = ['figure', 'value'] } = proof;
  const rows = Object.entries(figures).map(([name, values]) => [name, ...[values].flat().map(grouped)]);
  const ran = `${machine.date}, Node ${machine.node}, PostgreSQL ${machine.postgres}, ${machine.cores} cores`;
  return `## ${number}. ${title}

${proves}

Oracle: ${oracle}. Command: \`npm run proof -- ${number}\`. Last run: ${ran}.

${table([columns, ...rows])}
`;
}

/** Columns as wide as prettier makes them, so that the document passes the format check; a single column of values is to the right. */
function table(rows) {
  const columns = rows[0].map((_, column) => rows.map((row) => row[column]));
  const widths = columns.map((cells) => Math.max(...cells.map((cell) => cell.length)));
  const isRight = (column) => column === 1 && columns.length === 2;
  const line = (cells) =>
    `| ${cells.map((cell, i) => (isRight(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i]))).join(' | ')} |`;
  const rule = widths.map((width, i) => (isRight(i) ? `${'-'.repeat(width - 1)}:` : '-'.repeat(width)));
  return [line(rows[0]), `| ${rule.join(' | ')} |`, ...rows.slice(1).map(line)].join('\n');
}

function grouped(value) {
  return typeof value === 'number' ? value.toLocaleString('en-US') : String(value);
}
