/** Where a fault comes when the script does not say; the others come after the last chunk. */
const DEFAULT_PLACES = { malformed: 0, 'error-frame': 0 };

const FAILURE = { error: { message: 'The scripted provider failed', type: 'server_error' } };

/** An answer as server-sent events, as OpenAI sends them. */
export async function playStream(wire, answer, behaviour, request) {
  await new StreamPlay(wire, answer, behaviour, request).run();
}

class StreamPlay {
  #wire;
  #answer;
  #behaviour;
  #fault;
  #request;

  constructor(wire, answer, behaviour, request) {
    this.#wire = wire;
    this.#answer = answer;
    this.#behaviour = behaviour;
    this.#fault = behaviour.fault ?? {};
    this.#request = request;
  }

  async run() {
    const { parts } = this.#answer;
    const faultAt = Math.min(
      this.#fault.afterChunks ?? DEFAULT_PLACES[this.#fault.kind] ?? Infinity,
      parts.length,
    );
    this.#wire.head(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    for (const fields of this.#behaviour.opening ?? []) {
      await this.#wire.send(event({ ...this.#chunk([]), ...fields }));
    }
    await this.#wire.send(this.#delta({ role: 'assistant', content: '' }));
    for (let sent = 0; sent <= parts.length; sent += 1) {
      if (sent === faultAt && (await this.#interrupt(parts[sent]))) return;
      if (!this.#wire.isOpen) return;
      if (sent < parts.length) await this.#sendPart(parts[sent]);
    }
    if (this.#fault.kind === 'endless') await this.#goOn();
    else await this.#finish();
  }

  async #sendPart(part) {
    await this.#wire.send(this.#delta(part.delta), { tokens: part.tokens });
    await this.#wire.pause(this.#behaviour.chunkDelayMs);
  }

  /** True when the fault ends the answer. */
  async #interrupt(part) {
    switch (this.#fault.kind) {
      case 'cut':
        if (this.#fault.midEvent && part) await this.#sendHalf(part);
        await this.#wire.cut();
        return true;
      case 'stall':
        await this.#stall();
        return true;
      case 'clean-eof':
        this.#wire.finish('truncated');
        return true;
      case 'error-frame':
        await this.#wire.send(event(this.#fault.body ?? FAILURE));
        this.#wire.finish('truncated');
        return true;
      case 'malformed':
        await this.#wire.send(`data: ${this.#fault.line ?? '{"choices":[{"delta":{"content":'}\n\n`);
        return false;
      default:
        return false;
    }
  }

  async #stall() {
    const { keepAliveMs } = this.#fault;
    while (keepAliveMs && this.#wire.isOpen) {
      await this.#wire.pause(keepAliveMs);
      await this.#wire.send(': waiting\n\n');
    }
    await this.#wire.closed();
  }

  /** Half an event: the client cannot use it, but the provider has produced its tokens. */
  async #sendHalf(part) {
    const text = this.#delta(part.delta);
    await this.#wire.send(text.slice(0, Math.floor(text.length / 2)), { tokens: part.tokens });
  }

  async #goOn() {
    while (this.#wire.isOpen) {
      await this.#wire.send(this.#delta({ content: ' more' }), { tokens: this.#answer.choices });
      await this.#wire.pause(this.#behaviour.chunkDelayMs ?? 1);
    }
  }

  async #finish() {
    const { usage, finishReason } = this.#answer;
    const { events } = this.#request;
    if (events) {
      const end = events.end();
      await this.#wire.send(end.text, { usage: end.usage });
      return this.#wire.finish('completed');
    }
    await this.#wire.send(this.#delta({}, finishReason));
    if (this.#request.includesUsage && usage) {
      await this.#wire.send(event({ ...this.#chunk([]), usage }), { usage });
    }
    if (this.#fault.kind !== 'no-done') await this.#wire.send('data: [DONE]\n\n');
    this.#wire.finish('completed');
  }

  /** The same delta for every choice. */
  #delta(delta, finishReason = null) {
    const { events } = this.#request;
    if (events) return events.delta(delta);
    const choice = (index) => ({ index, delta, logprobs: null, finish_reason: finishReason });
    return event(this.#chunk(Array.from({ length: this.#answer.choices }, (_, index) => choice(index))));
  }

  #chunk(choices) {
    const { id, model, createdAt, includesUsage } = this.#request;
    return {
      id: `chatcmpl-${id}`,
      object: 'chat.completion.chunk',
      created: createdAt,
      model,
      choices,
      ...(includesUsage ? { usage: null } : {}),
    };
  }
}

const event = (value) => `data: ${JSON.stringify(value)}\n\n`;
