export interface ComplexitySigns {
  readonly promptTokens: number;
  readonly messageCount: number;
  readonly hasCode: boolean;
  readonly demanding: number;
  readonly simple: number;
}

/**
 * 0 trivial .. 1 hard: length on a log scale (16 tokens nothing, 16,000 a half), a tenth for code, an eighth for each sign
 * of a demanding task (at most four), a tenth less for each sign of a simple one, up to a tenth for a long conversation.
 */
export function complexity(signs: ComplexitySigns): number {
  const length = Math.log10(Math.max(signs.promptTokens, 16) / 16) / 6;
  const turns = Math.min(signs.messageCount, 20) / 200;
  const asked = Math.min(signs.demanding, 4) / 8 - signs.simple / 10;
  const sum = 0.1 + Math.min(length, 0.5) + turns + (signs.hasCode ? 0.1 : 0) + asked;
  return Math.round(Math.min(1, Math.max(0, sum)) * 100) / 100;
}
