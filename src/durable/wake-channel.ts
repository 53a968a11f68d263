/** Where processes tell each other that a queue has work, by its name, or that runs have changed hands. */
export const WAKE_CHANNEL = 'durable_wake';
/** Runs were cancelled or taken over: is one of ours among them? */
export const RUNS_LOST = '!';
