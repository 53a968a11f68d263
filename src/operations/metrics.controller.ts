import { timingSafeEqual } from 'node:crypto';
import { Controller, Get, Headers, Res } from '@nestjs/common';
import { ApiOperation, ApiProduces, ApiTags } from '@nestjs/swagger';
import type { FastifyReply } from 'fastify';
import { Authenticator, Public } from '../auth/index';
import { AppConfig } from '../config/index';
import { ForbiddenError, UnauthenticatedError } from '../errors/index';
import { Metrics } from '../observability/index';

/** Prometheus metrics. Never public: METRICS_TOKEN or an administrator's credential opens them. */
@ApiTags('operations')
@Controller('metrics')
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly config: AppConfig,
    private readonly authenticator: Authenticator,
  ) {}

  // Public to the guard, because METRICS_TOKEN is no user's credential; `authorize` is the door.
  @Get()
  @Public()
  @ApiOperation({
    operationId: 'getMetrics',
    summary: 'Prometheus metrics, for METRICS_TOKEN or an administrator',
  })
  @ApiProduces('text/plain')
  async list(
    @Headers('authorization') authorization: string | undefined,
    @Res() reply: FastifyReply,
  ): Promise<void> {
    await this.authorize(authorization);
    void reply.type(this.metrics.registry.contentType).send(await this.metrics.registry.metrics());
  }

  private async authorize(authorization: string | undefined): Promise<void> {
    const credential = /^Bearer (.+)$/i.exec(authorization ?? '')?.[1];
    if (!credential)
      throw new UnauthenticatedError('Send METRICS_TOKEN or an administrator’s credential as a bearer token');
    if (isSame(credential, this.config.vars.METRICS_TOKEN)) return;
    const principal = await this.authenticator.authenticate(credential);
    if (!principal) throw new UnauthenticatedError('The credential is not valid');
    if (principal.role !== 'admin') throw new ForbiddenError('Metrics are for administrators');
  }
}

function isSame(offered: string, expected: string | undefined): boolean {
  if (expected === undefined) return false;
  const [left, right] = [Buffer.from(offered), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}
