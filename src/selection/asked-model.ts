import { ValidationError } from '../errors/index';
import { STRATEGIES, type Strategy } from './execution-plan';

/** What the client wrote as `model`: a strategy of routing, or the name of one model. */
export type AskedModel = { readonly strategy: Strategy } | { readonly name: string };

/** Is the model left to routing? @throws ValidationError as `askedModel` does */
export function isRouted(model: string): boolean {
  return 'strategy' in askedModel(model);
}

/**
 * Understands `auto` and `auto:cheap`, `auto:best`, `auto:fast` in any letter case; everything else is a model's name.
 * @throws ValidationError for an unknown strategy behind `auto:`.
 */
export function askedModel(model: string): AskedModel {
  const text = model.trim();
  const lower = text.toLowerCase();
  if (lower === 'auto') return { strategy: 'auto' };
  if (!lower.startsWith('auto:')) return { name: text };
  const strategy = STRATEGIES.find((known) => lower === `auto:${known}`);
  if (strategy) return { strategy };
  const known = STRATEGIES.map((name) => (name === 'auto' ? name : `auto:${name}`)).join(', ');
  throw new ValidationError(`The model "${text.slice(0, 100)}" is not a way of routing; known are ${known}`, {
    param: 'model',
  });
}
