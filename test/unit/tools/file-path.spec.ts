import { namesOf } from '../../../src/tools/files/file-path';

describe('namesOf', () => {
  it.each([
    ['a.txt', ['a.txt']],
    ['notes/2026/plan.md', ['notes', '2026', 'plan.md']],
    ['.hidden', ['.hidden']],
    ['a..b/c', ['a..b', 'c']],
    ['größe/日本語 (1).txt', ['größe', '日本語 (1).txt']],
    ['~/x', ['~', 'x']],
    ['%2e%2e/x', ['%2e%2e', 'x']],
  ])('takes %s', (path, names) => {
    expect(namesOf(path)).toEqual(names);
  });

  it.each([
    ['', 'empty'],
    ['..', '".."'],
    ['.', '".."'],
    ['../x', '".."'],
    ['a/../../x', '".."'],
    ['a/..', '".."'],
    ['./a', '".."'],
    ['/etc/passwd', 'relative'],
    ['//server/share', 'relative'],
    ['a//b', 'empty name'],
    ['a/', 'empty name'],
    ['..\\x', 'characters'],
    ['a\\b', 'characters'],
    ['C:x', 'characters'],
    ['C:/x', 'characters'],
    ['a.txt:stream', 'characters'],
    ['a\0.txt', 'characters'],
    ['a\nb', 'characters'],
    ['a\u202eb', 'characters'],
    ['\ud800', 'characters'],
    ['a*', 'characters'],
    ['a.', 'dot'],
    ['... ', 'dot'],
    ['...', 'dot'],
    ['a ', 'dot'],
    [' a', 'dot'],
    ['NUL', 'device'],
    ['con.txt', 'device'],
    ['x/com1', 'device'],
    ['.lattice-0', 'taken'],
    ['x/.LATTICE-0', 'taken'],
    ['a'.repeat(201), 'more than 200 bytes'],
    ['ä'.repeat(101), 'more than 200 bytes'],
    [`${'a/'.repeat(10)}a`, 'folders deep'],
    [`${'a'.repeat(100)}/`.repeat(6), 'more than 500'],
  ])('refuses %j', (path, reason) => {
    expect(() => namesOf(path)).toThrow(reason);
  });
});
