/** Child processes of the bench, and what they cost. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';

const TICKS_PER_SECOND = 100;
const started = [];

/** Starts a Node script and waits for the first line that it prints and that matches. */
export async function start(script, args = [], { env = process.env, ready = /^(\d+)$/m } = {}) {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  started.push(child);
  let printed = '';
  for await (const chunk of child.stdout) {
    printed += chunk;
    const match = ready.exec(printed);
    if (match) {
      child.stdout.resume();
      return { child, pid: child.pid, match: match[1] };
    }
  }
  throw new Error(`${script} ended before it was ready`);
}

/** Runs a Node script to its end and gives the JSON it printed last. */
export async function run(script, args) {
  const child = spawn(process.execPath, [script, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let printed = '';
  child.stdout.on('data', (chunk) => (printed += chunk));
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`${script} failed with ${code}`);
  return JSON.parse(printed.trim().split('\n').at(-1));
}

export async function stopAll() {
  for (const child of started.splice(0).reverse()) {
    if (child.exitCode !== null) continue;
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  }
}

/** User and system CPU seconds of a process and all below it, the ended ones included. */
export function cpuSeconds(pid) {
  const rows = new Map();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      const fields = stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .map(Number);
      // Its own time, and that of its children that have ended.
      const [user, system, childUser, childSystem] = fields.slice(11, 15);
      rows.set(Number(entry), { parent: fields[1], ticks: user + system + childUser + childSystem });
    } catch {
      // The process ended between the listing and the reading.
    }
  }
  const below = (id) =>
    [...rows]
      .filter(([, row]) => row.parent === id)
      .reduce((sum, [child]) => sum + below(child), rows.get(id)?.ticks ?? 0);
  return below(pid) / TICKS_PER_SECOND;
}

export function rssMegabytes(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}
