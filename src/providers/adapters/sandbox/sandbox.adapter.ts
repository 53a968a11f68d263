import type {
  ChatCall,
  ChatChunk,
  ChatResult,
  ChatStream,
  EmbedCall,
  EmbedResult,
  ProviderAdapter,
} from '../../provider.port';
import { textsOf } from '../embedding';
import { answer } from './answer';
import { SandboxCompletion } from './completion';
import { type Directives, directivesIn } from './directives';
import { sandboxVectors } from './embedding';
import { failure, SandboxFailures } from './failures';
import { pause, type PauseLimit } from './pause';
import { readRequest } from './reading';

const MODELS = ['small', 'large', 'flaky', 'embed'] as const;

/**
 * A provider without a model: deterministic, free and clearly labelled answers made from the request, so that every
 * part of Lattice can be tried without an account. The last user message can steer it (see Directives).
 */
export class SandboxAdapter implements ProviderAdapter {
  readonly provider = 'sandbox';
  readonly #failures = new SandboxFailures();

  async chat(call: ChatCall): Promise<ChatResult> {
    const { completion, directives } = await this.#begin(call, 'totalMs');
    if (directives.cutAfter !== undefined) throw failure('cut', { mayBeBilled: true });
    if (directives.stallAfter !== undefined) await pause(call, Infinity, 'totalMs');
    return { report: completion.report(true), body: completion.body() };
  }

  async chatStream(call: ChatCall): Promise<ChatStream> {
    const { completion, directives } = await this.#begin(call, 'firstByteMs');
    let isWhole = false;
    return {
      chunks: relay(call, completion, directives, () => (isWhole = true)),
      report: () => completion.report(isWhole),
      malformedLines: () => 0,
    };
  }

  /** The directives of any of the texts count. */
  async embed(call: EmbedCall): Promise<EmbedResult> {
    const texts = textsOf(call.inputs);
    const directives = obeyed(directivesIn(texts.join('\n')), call.model.upstreamId);
    await pause(call, directives.delayMs, 'totalMs');
    this.#failures.check(call, directives);
    if (directives.cutAfter !== undefined) throw failure('cut', { mayBeBilled: true });
    return sandboxVectors(call);
  }

  listModels(): Promise<readonly string[]> {
    return Promise.resolve(MODELS);
  }

  async #begin(call: ChatCall, limit: PauseLimit) {
    const reading = readRequest(call.body);
    const directives = obeyed(reading.directives, call.model.upstreamId);
    await pause(call, directives.delayMs, limit);
    this.#failures.check(call, directives);
    const { model, body, requestId } = call;
    const choices = answer({ model, body, requestId, reading: { ...reading, directives } });
    return { completion: new SandboxCompletion(call, choices), directives };
  }
}

async function* relay(
  call: ChatCall,
  completion: SandboxCompletion,
  directives: Directives,
  onEnd: () => void,
): AsyncGenerator<ChatChunk> {
  const { cutAfter, stallAfter, paceMs } = directives;
  let sent = 0;
  for (const chunk of completion.chunks()) {
    if (sent === cutAfter) throw failure('cut', { mayBeBilled: true });
    if (sent === stallAfter) await pause(call, Infinity, 'idleMs');
    else await pause(call, sent > 0 ? paceMs : 0, 'idleMs');
    yield chunk;
    sent += 1;
  }
  onEnd();
}

/** Directives for another model are not for this one. */
function obeyed(directives: Directives, upstreamId: string): Directives {
  const { model } = directives;
  if (model === undefined || model === upstreamId || model === `sandbox/${upstreamId}`) return directives;
  return { isTooLong: false, delayMs: 0, paceMs: 0, tools: directives.tools, rounds: directives.rounds };
}
