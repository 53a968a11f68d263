/** How fast a model writes. */
export interface Pace {
  /** Absent where too little was streamed: then `tokensPerSecond` includes the wait. */
  readonly firstTokenMs?: number;
  /** Undefined: nobody knows. */
  readonly tokensPerSecond?: number;
}

/** The two paces between which speeds are compared. */
export interface PaceAnchors {
  readonly quickest: Required<Pace>;
  readonly slowest: Required<Pace>;
}

/** What is going to be written. */
export interface TimedRequest {
  readonly completionTokens: number;
}

/**
 * 1 when the answer takes as long as it would at the quickest anchor or less, 0 at the slowest or more, in between on a log
 * scale. Anchors are scaled to the request (`usual`: an answer of the usual length, the same for every model), so that its
 * length does not matter. Undefined when the pace is unknown.
 */
export function speedScore(
  { firstTokenMs = 0, tokensPerSecond }: Pace,
  request: TimedRequest,
  usual: TimedRequest,
  anchors: PaceAnchors,
): number | undefined {
  if (tokensPerSecond === undefined) return undefined;
  const ms = answerMs({ firstTokenMs, tokensPerSecond }, request);
  const low = answerMs(anchors.quickest, usual);
  const high = answerMs(anchors.slowest, usual);
  if (ms <= low) return 1;
  if (ms >= high) return 0;
  return 1 - Math.log(ms / low) / Math.log(high / low);
}

function answerMs(
  { firstTokenMs, tokensPerSecond }: Required<Pace>,
  { completionTokens }: TimedRequest,
): number {
  return firstTokenMs + (completionTokens * 1000) / tokensPerSecond;
}
