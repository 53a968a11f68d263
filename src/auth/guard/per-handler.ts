import type { ExecutionContext } from '@nestjs/common';

export type Handler = ReturnType<ExecutionContext['getHandler']>;
export type HandlerClass = ReturnType<ExecutionContext['getClass']>;

/** Reads something off a handler's decorators once; an inherited handler is another one in each class. */
export class PerHandler<T> {
  private readonly known = new WeakMap<HandlerClass, WeakMap<Handler, { readonly value: T }>>();

  /** @param read what handler and class say, the handler first. */
  constructor(private readonly read: (targets: [Handler, HandlerClass]) => T) {}

  of(context: ExecutionContext): T {
    const [handler, handlerClass] = [context.getHandler(), context.getClass()];
    let values = this.known.get(handlerClass);
    if (!values) this.known.set(handlerClass, (values = new WeakMap()));
    let known = values.get(handler);
    if (!known) values.set(handler, (known = { value: this.read([handler, handlerClass]) }));
    return known.value;
  }
}
