import { textOf } from './tokens.mjs';

const MARKER = /\[\[script:(.+?)\]\](?!\])/s;

/** Which behaviour a request gets: its own header, its marker, the queue of its model, the common queue, the default. */
export class Scripts {
  #named = new Map();
  #queue = [];

  add(script) {
    const entry = { ...script, left: script.times === 'always' ? Infinity : (script.times ?? 1), used: 0 };
    if (script.name) this.#named.set(script.name, entry);
    else this.#queue.push(entry);
  }

  clear() {
    this.#named.clear();
    this.#queue = [];
  }

  choose(request, body) {
    const wanted = request.headers['x-truth-script'] ?? MARKER.exec(lastUserText(body))?.[1];
    if (wanted?.startsWith('{')) return JSON.parse(wanted);
    if (wanted) return this.#byName(wanted);
    return this.#fromQueue(body.model);
  }

  #byName(name) {
    const script = this.#named.get(name);
    if (!script) throw new Error(`no script is named ${name}`);
    return step(script);
  }

  #fromQueue(model) {
    const own = this.#queue.find((script) => script.model === model);
    const script = own ?? this.#queue.find((other) => other.model === undefined);
    if (!script) return {};
    const behaviour = step(script);
    const isSteps = script.steps && script.used < script.steps.length;
    if (!isSteps) script.left -= 1;
    if (script.left <= 0) this.#queue.splice(this.#queue.indexOf(script), 1);
    return behaviour;
  }
}

function step(script) {
  const { steps } = script;
  const behaviour = steps ? { ...script, ...steps[Math.min(script.used, steps.length - 1)] } : script;
  script.used += 1;
  return behaviour;
}

/** Of an embeddings request, the last text. */
function lastUserText(body) {
  const last = [body.input].flat(1).at(-1);
  if (typeof last === 'string') return last;
  const messages = Array.isArray(body.messages) ? body.messages : [];
  return textOf(messages.findLast((message) => message.role === 'user')?.content);
}
