import { csvRecords, CsvSyntaxError } from '../../../../src/scoring/outcomes/csv-reader';

const read = (text: string): [number, readonly string[]][] =>
  [...csvRecords(text)].map(({ line, cells }) => [line, cells]);

describe(csvRecords.name, () => {
  it('reads lines that end in LF or CRLF, the last one or not', () => {
    const records: [number, string[]][] = [
      [1, ['a', 'b']],
      [2, ['1', '']],
    ];
    for (const text of ['a,b\n1,', 'a,b\r\n1,\r\n', 'a,b\n1,\n']) expect(read(text)).toEqual(records);
  });

  it('reads commas, quotes and line ends inside quotes, and counts the lines', () => {
    expect(read('a,"b, ""c""\nd",e\n"",f,\r\n\n"x"\r\ny')).toEqual([
      [1, ['a', 'b, "c"\nd', 'e']],
      [3, ['', 'f', '']],
      [5, ['x']],
      [6, ['y']],
    ]);
  });

  it('takes quotes in the middle of a cell as they are', () => {
    expect(read('5" pipe,"x"')).toEqual([[1, ['5" pipe', 'x']]]);
  });

  it('skips empty lines and nothing else', () => {
    expect(read('\n\r\na\n\n,\n')).toEqual([
      [3, ['a']],
      [5, ['', '']],
    ]);
    expect(read('')).toEqual([]);
  });

  it.each([
    ['a\nb,"c', 2],
    ['a\n"b"c,d', 2],
  ])('names the line that breaks a rule: %j', (text, line) => {
    const error: unknown = (() => {
      try {
        return read(text);
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(error).toBeInstanceOf(CsvSyntaxError);
    expect(error).toHaveProperty('line', line);
  });
});
