import { csvRow } from '../../../src/ledger/csv';

describe(csvRow.name, () => {
  it.each([
    ['plain', 'plain'],
    [null, ''],
    [undefined, ''],
    [0, '0'],
    [-3, '-3'],
    ['a,b', '"a,b"'],
    ['say "hi"', '"say ""hi"""'],
    ['two\r\nlines', '"two\r\nlines"'],
    ['lone\nfeed', '"lone\nfeed"'],
    ['=1+1', "'=1+1"],
    ['+1', "'+1"],
    ['-cmd', "'-cmd"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\tx', "'\tx"],
    ['\rx', '"\'\rx"'],
    ['=HYPERLINK("http://x","y")', '"\'=HYPERLINK(""http://x"",""y"")"'],
    ['0.000000000001', '0.000000000001'],
    ['a=b', 'a=b'],
  ])('writes %j as %j', (cell, written) => {
    expect(csvRow([cell, 'next'])).toBe(`${written},next\r\n`);
  });
});
