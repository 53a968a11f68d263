/**
 * How comfortably the request fits: 1 when the window is `comfortableRatio` times what prompt and answer need, 0 when it is
 * just enough, in between on a log scale.
 */
export function contextScore(windowTokens: number, neededTokens: number, comfortableRatio: number): number {
  const ratio = windowTokens / Math.max(1, neededTokens);
  if (ratio >= comfortableRatio) return 1;
  return ratio <= 1 ? 0 : Math.log(ratio) / Math.log(comfortableRatio);
}
