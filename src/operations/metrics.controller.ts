import { Controller, Get, Headers, Ip, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { AttemptLimiter, Callers, checkAccess, Counted, needOf, Public } from '../auth/index';
import { isSameSecret } from '../common/index';
import { AppConfig } from '../config/index';
import { UnauthenticatedError } from '../errors/index';
import { Metrics } from '../observability/index';

const NEED = needOf({ routeClass: 'admin', method: 'GET', path: '/metrics' });

/** Prometheus metrics. Never public: METRICS_TOKEN or an administrator's credential opens them. */
@ApiTags('operations')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly config: AppConfig,
    private readonly callers: Callers,
    private readonly attempts: AttemptLimiter,
  ) {}

  // Public to the guard, because METRICS_TOKEN is no user's credential; `authorize` is the door.
  @Get()
  @Public()
  @Counted('never')
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Prometheus metrics, for METRICS_TOKEN or an administrator',
    description: 'An API key with scopes needs `metrics:read`.',
  })
  @ApiProduces('text/plain')
  async list(
    @Headers('authorization') authorization: string | undefined,
    @Ip() address: string,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.authorize(authorization, address);
    void reply.type(this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }

  private async authorize(authorization: string | undefined, address: string): Promise<void> {
    const credential = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (!credential)
      throw new UnauthenticatedError('Send METRICS_TOKEN or an administrator’s credential as a bearer token');
    // People choose this token: whoever has guessed often is not told when a guess is right.
    const { METRICS_TOKEN: token } = this.config.vars;
    if (token !== undefined && !this.attempts.isFull(address) && isSameSecret(credential, token)) return;
    checkAccess(NEED, await this.callers.identify(credential, address, true));
  }
}
