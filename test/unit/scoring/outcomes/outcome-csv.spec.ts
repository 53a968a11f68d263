import { ValidationError } from '../../../../src/errors/index';
import { readOutcomeFile } from '../../../../src/scoring/outcomes/outcome-csv';

const read = (text: string | Uint8Array) => {
  const file = readOutcomeFile(typeof text === 'string' ? Buffer.from(text) : text);
  return { ...file, outcomes: [...file.outcomes] };
};

function refusal(text: string | Uint8Array): unknown {
  try {
    return read(text);
  } catch (error) {
    return error;
  }
}

describe(readOutcomeFile.name, () => {
  it('takes columns in any order, in any case, and only those that have to be there', () => {
    expect(read('Score, MODEL ,task_type\n 0.5 ,gpt-4o, math\n').outcomes).toEqual([
      { model: 'gpt-4o', taskType: 'MATH', score: 0.5 },
    ]);
  });

  it('reads every column, and names those that it does not know', () => {
    const { ignored, outcomes } = read(
      'pool,prompt_id,task_type,dataset,model,score,cost_usd,in_tokens,out_tokens,judge\n' +
        'p,"a, b",CODE_GENERATION,d,m,1.0,4.98e-05,82,1,someone\n',
    );
    expect(ignored).toEqual(['judge']);
    expect(outcomes).toEqual([
      {
        pool: 'p',
        promptId: 'a, b',
        taskType: 'CODE_GENERATION',
        dataset: 'd',
        model: 'm',
        score: 1,
        costPicoUsd: 49_800_000n,
        promptTokens: 82,
        completionTokens: 1,
      },
    ]);
  });

  it('rounds costs that are finer than a pico-dollar', () => {
    const { outcomes } = read('task_type,model,score,cost_usd\nMATH,m,1,1.2345678901239e-05');
    expect(outcomes[0]?.costPicoUsd).toBe(12_345_679n);
  });

  it('reads a file that begins with a byte order mark', () => {
    expect(read('\uFEFFtask_type,model,score\nMATH,m,1').outcomes).toHaveLength(1);
  });

  const row = (line: string) => `task_type,model,score,in_tokens,cost_usd\nMATH,m,1,1,1\n${line}\n`;
  it.each([
    ['', 1, undefined, /Line 1 is empty/],
    ['task_type,score\n', 1, undefined, /Line 1 lacks the column model/],
    ['task_type,model,score,Score\n', 1, undefined, /names the column "score" twice/],
    [row('MATH,m,1,1'), 3, undefined, /Line 3 has 4 cells, the header 5/],
    [row('MATHS,m,1,1,1'), 3, 'task_type', /must be one of CODE_GENERATION/],
    [row('MATH,,1,1,1'), 3, 'model', /Line 3, column model is empty/],
    [row(`MATH,${'m'.repeat(201)},1,1,1`), 3, 'model', /more than 200 characters/],
    [row('MATH,m\0,1,1,1'), 3, 'model', /NUL/],
    [row('MATH,m,,1,1'), 3, 'score', /is empty/],
    [row('MATH,m,1.01,1,1'), 3, 'score', /from 0 to 1/],
    [row('MATH,m,-0.1,1,1'), 3, 'score', /from 0 to 1/],
    [row('MATH,m,nan,1,1'), 3, 'score', /from 0 to 1/],
    [row('MATH,m,0x1,1,1'), 3, 'score', /from 0 to 1/],
    [row('MATH,m,1,1.5,1'), 3, 'in_tokens', /whole number/],
    [row('MATH,m,1,1,-1'), 3, 'cost_usd', /from 0 to/],
    [row('MATH,"m,1,1,1'), 3, undefined, /Line 3 has a quote that is never closed/],
  ])('names the line and the column that is wrong: %j', (text, line, column, message) => {
    const error = refusal(text);
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({
      message: expect.stringMatching(message),
      param: column ?? 'body',
      details: { line, column },
    });
    expect(error).toHaveProperty('message', expect.stringContaining('Nothing was stored'));
  });

  it('refuses what is not UTF-8', () => {
    expect(refusal(Buffer.from([0x6d, 0xff, 0x0a]))).toHaveProperty(
      'message',
      expect.stringMatching(/UTF-8/),
    );
  });
});
