import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { collectDefaultMetrics, Counter, Histogram, Registry } from 'prom-client';
import { ERROR_RAISED, type ErrorRaised } from '../errors/index';

const SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120];

/** Prometheus metrics of this process; one registry per application. */
@Injectable()
export class Metrics {
  readonly registry = new Registry();
  readonly calls = this.counter('lattice_llm_calls_total', 'Upstream attempts', [
    'provider',
    'model',
    'outcome',
  ]);
  readonly tokens = this.counter('lattice_tokens_total', 'Tokens booked', ['provider', 'model', 'kind']);
  readonly cost = this.counter(
    'lattice_cost_usd_total',
    'Cost booked in US dollars (approximate; the ledger is exact)',
    ['provider', 'model'],
  );
  readonly latency = this.histogram('lattice_llm_call_seconds', 'Duration of an upstream attempt');
  readonly firstToken = this.histogram(
    'lattice_llm_first_token_seconds',
    'Time to the first token of a stream',
  );
  readonly disputes = this.counter('lattice_billing_disputes_total', 'Usage lines whose figures disagree', [
    'provider',
  ]);
  private readonly errors = this.counter('lattice_errors_total', 'Failed requests', ['code', 'status']);

  constructor() {
    collectDefaultMetrics({ register: this.registry });
  }

  @OnEvent(ERROR_RAISED)
  countError(raised: ErrorRaised): void {
    this.errors.inc({ code: raised.code, status: raised.status });
  }

  private counter(name: string, help: string, labelNames: string[]): Counter {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }

  private histogram(name: string, help: string): Histogram {
    return new Histogram({
      name,
      help,
      labelNames: ['provider', 'model'],
      buckets: SECONDS,
      registers: [this.registry],
    });
  }
}
