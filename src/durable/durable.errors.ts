/**
 * This process carries the run on no longer: it was cancelled, or another process has it. Whoever catches it in a body
 * throws it again; nothing that the body does after it is kept.
 */
export class RunHandedOverError extends Error {
  constructor(runId: string, options?: ErrorOptions) {
    super(`The run ${runId} was cancelled, or another process carries it on`, options);
    this.name = RunHandedOverError.name;
  }
}
