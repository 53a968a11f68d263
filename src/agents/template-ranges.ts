import {
  type Context,
  Expression,
  type FilteredValueToken,
  Token,
  Tokenizer,
  TokenKind,
  type ValueToken,
} from 'liquidjs';

/**
 * Beyond the safe integers one more is the same number again: the engine, which counts up from one end to the other, would
 * fill a list until the memory of the process is gone. It has no option for this, so its reader of ranges is changed.
 */
const readGroupOrRange = Reflect.get(Tokenizer.prototype, 'readGroupOrRange');

Tokenizer.prototype.readGroupOrRange = function (this: Tokenizer) {
  const token = readGroupOrRange.call(this);
  if (token?.kind !== TokenKind.Range || !('rhs' in token)) return token;
  token.lhs = new RangeEnd(token.lhs);
  token.rhs = new RangeEnd(token.rhs);
  return token;
};

class RangeEnd extends Token implements FilteredValueToken {
  readonly initial: Expression;
  readonly filters = [];

  constructor(end: ValueToken) {
    super(TokenKind.FilteredValue, end.input, end.begin, end.end, end.file);
    this.initial = new SafeInteger([end]);
  }
}

class SafeInteger extends Expression {
  override *evaluate(ctx: Context, isLenient?: boolean): ReturnType<Expression['evaluate']> {
    const value: unknown = yield super.evaluate(ctx, isLenient);
    if (Math.abs(Number(value)) > Number.MAX_SAFE_INTEGER) throw new Error('a range is out of bounds');
    return value;
  }
}
