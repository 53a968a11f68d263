/**
 * Phrases of the pattern file: literal text with alternatives in round brackets, which may nest and may be empty
 * (`summar(y|ize)`, `function(s|)`); a final `*` lets any ending follow (`übersetz*`).
 */

const MAX_EXPANSIONS = 5_000;

/**
 * All the texts a phrase stands for, in lower case.
 * @throws SyntaxError when brackets do not match or it stands for too many.
 */
export function expandPhrase(phrase: string): readonly string[] {
  const { texts, end } = expandSequence(phrase, 0);
  if (end !== phrase.length) throw new SyntaxError('")" without "("');
  return texts.map((text) => text.toLowerCase());
}

interface Expansion {
  readonly texts: readonly string[];
  /** Where reading stopped: at `|`, at `)` or at the end. */
  readonly end: number;
}

function expandSequence(phrase: string, start: number): Expansion {
  let texts: readonly string[] = [''];
  let position = start;
  while (position < phrase.length) {
    const char = phrase.charAt(position);
    if (char === ')' || (char === '|' && start > 0)) break;
    const part = char === '(' ? expandGroup(phrase, position) : { texts: [char], end: position + 1 };
    texts = texts.flatMap((text) => part.texts.map((next) => text + next));
    if (texts.length > MAX_EXPANSIONS)
      throw new SyntaxError(`stands for more than ${MAX_EXPANSIONS} phrases`);
    position = part.end;
  }
  return { texts, end: position };
}

function expandGroup(phrase: string, open: number): Expansion {
  const texts: string[] = [];
  let position = open;
  do {
    const alternative = expandSequence(phrase, position + 1);
    texts.push(...alternative.texts);
    position = alternative.end;
  } while (phrase.charAt(position) === '|');
  if (phrase.charAt(position) !== ')') throw new SyntaxError('"(" without ")"');
  return { texts, end: position + 1 };
}
