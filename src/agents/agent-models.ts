/** How an agent names its model. */

const ROUTING = /^auto(:(cheap|best|fast))?$/i;

/** Is the choice left to routing? */
export function isRouted(model: string): boolean {
  return ROUTING.test(model.trim());
}

/** `auto:` and something that is no strategy. */
export function isUnknownStrategy(model: string): boolean {
  return model.trim().toLowerCase().startsWith('auto:') && !isRouted(model);
}

export const STRATEGY_RULE = 'must be a model, or auto, auto:cheap, auto:best or auto:fast';
