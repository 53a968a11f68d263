import {
  type AnswerFacts,
  keptText,
  MAX_ANSWER_BYTES,
} from '../../../../src/execution/response-cache/kept-answer';

const FACTS: AnswerFacts = { modelId: 'openai/e', usage: {}, warnings: [] };

describe(keptText.name, () => {
  it('keeps the pieces as one text', () => {
    expect(keptText(FACTS, ['{"ä":', '1}'])?.bytes.toString()).toBe('{"ä":1}');
    expect(keptText(FACTS, ['x'.repeat(MAX_ANSWER_BYTES)])?.bytes).toHaveLength(MAX_ANSWER_BYTES);
  });

  it('takes no more pieces than can be kept', () => {
    let taken = 0;
    function* endless(): Generator<string> {
      for (;;) {
        taken += 1;
        yield 'x'.repeat(MAX_ANSWER_BYTES / 2);
      }
    }
    expect(keptText(FACTS, endless())).toBeUndefined();
    expect(taken).toBe(3);
  });
});
