/** What a route asks of its caller, read off its decorators. */
import { type Reflector } from '@nestjs/core';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants';
import { RequestMethod } from '@nestjs/common';
import { EVENT_TOKEN_PARAM } from '../decorators/accepts-event-token.decorator';
import { REQUIRED_PERMISSION } from '../decorators/requires.decorator';
import { ROUTE_CLASS, type RouteClass } from '../decorators/route-class.decorators';
import type { Handler, HandlerClass } from './per-handler';
import { type Need, needOf } from './permissions';

export interface AccessRule extends Need {
  /** The path parameter that an event token in the URL must have been given for; undefined: none is taken. */
  readonly eventTokenParam?: string;
}

/** A handler without a classification is closed like an owned one. */
export function readAccessRule(reflector: Reflector, targets: [Handler, HandlerClass]): AccessRule {
  const [handler, handlerClass] = targets;
  const need = needOf({
    routeClass: reflector.getAllAndOverride<RouteClass | undefined>(ROUTE_CLASS, targets) ?? 'owned',
    method: methodOf(reflector, handler),
    path: `/${pathOf(reflector, handlerClass)}/${pathOf(reflector, handler)}`,
    required: reflector.getAllAndOverride<string | undefined>(REQUIRED_PERMISSION, targets),
  });
  const eventTokenParam = reflector.get<string | undefined>(EVENT_TOKEN_PARAM, handler);
  return { ...need, eventTokenParam };
}

function methodOf(reflector: Reflector, handler: Handler): string {
  return RequestMethod[
    reflector.get<RequestMethod | undefined>(METHOD_METADATA, handler) ?? RequestMethod.ALL
  ];
}

/** A handler with several paths is judged by its first. */
function pathOf(reflector: Reflector, target: Handler | HandlerClass): string {
  const path = reflector.get<string | string[] | undefined>(PATH_METADATA, target);
  return (Array.isArray(path) ? path[0] : path) ?? '';
}
