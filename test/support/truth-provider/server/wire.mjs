/** The way to the client. Every byte is logged before it is written, with the tokens it carries. */
export class Wire {
  #response;
  #log;
  #id;
  #hasEnded = false;
  #closed;
  #flushed = Promise.resolve();

  constructor(response, log, id) {
    this.#response = response;
    this.#log = log;
    this.#id = id;
    this.#closed = new Promise((resolve) => response.once('close', resolve));
    response.once('close', () => this.#end('client_closed'));
    response.on('error', () => undefined);
  }

  get isOpen() {
    return !this.#hasEnded && !this.#response.destroyed;
  }

  head(status, headers) {
    if (this.isOpen) this.#response.writeHead(status, headers).flushHeaders();
  }

  /** Waits while the client does not read, so that the log never runs ahead of a full socket. */
  async send(text, { tokens = 0, usage } = {}) {
    if (!this.isOpen) return;
    this.#log.write({ type: 'sent', id: this.#id, bytes: Buffer.byteLength(text), tokens, usage });
    let hasRoom = true;
    this.#flushed = new Promise((resolve) => (hasRoom = this.#response.write(text, resolve)));
    if (!hasRoom) await Promise.race([this.#flushed, this.#closed]);
  }

  finish(outcome) {
    if (!this.isOpen) return;
    this.#end(outcome);
    this.#response.end();
  }

  /** Breaks the connection once the bytes so far have left, so that the client surely gets them. */
  async cut() {
    if (!this.isOpen) return;
    this.#end('cut');
    await Promise.race([this.#flushed, this.#closed]);
    this.#response.destroy();
  }

  /** Resolves when the client has hung up. */
  closed() {
    return this.#closed;
  }

  /** Waits, but no longer than the connection lives. */
  async pause(milliseconds) {
    if (!milliseconds || !this.isOpen) return;
    let timer;
    const wait = new Promise((resolve) => (timer = setTimeout(resolve, milliseconds)));
    await Promise.race([wait, this.#closed]);
    clearTimeout(timer);
  }

  #end(outcome) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#log.write({ type: 'end', id: this.#id, at: Date.now(), outcome });
  }
}
