import { Injectable } from '@nestjs/common';
import { OnEvent } from '@nestjs/event-emitter';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import { ERROR_RAISED, type ErrorRaised } from '../errors/index';

/** Of the ledger's round trips: fine enough to read percentiles from. */
const LEDGER_SECONDS = [
  0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.0065, 0.008, 0.01, 0.0125, 0.015, 0.02, 0.03, 0.05, 0.1, 0.25,
  1, 5,
];
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
  readonly malformedLines = this.counter(
    'lattice_malformed_lines_total',
    'Upstream lines of streams that could not be read and were skipped',
    ['provider', 'model'],
  );
  readonly disputes = this.counter('lattice_billing_disputes_total', 'Usage lines whose figures disagree', [
    'provider',
  ]);
  readonly circuits = this.counter('lattice_circuit_transitions_total', 'Circuit breakers that changed', [
    'provider',
    'model',
    'to',
  ]);
  readonly refusals = this.counter(
    'lattice_circuit_refusals_total',
    'Attempts that were not made because a circuit breaker was open',
    ['provider', 'model'],
  );
  readonly capacityQueue = new Gauge({
    name: 'lattice_capacity_queue',
    help: 'Calls that wait for room at a provider or ask for it',
    labelNames: ['provider', 'model'],
    registers: [this.registry],
  });
  readonly capacityWait = this.histogram(
    'lattice_capacity_wait_seconds',
    'How long calls waited that found no room at a provider at once',
  );
  readonly capacityRefusals = this.counter(
    'lattice_capacity_refusals_total',
    'Attempts that were not made because a provider takes no more',
    ['provider', 'model', 'limit'],
  );
  readonly responseCache = this.counter(
    'lattice_response_cache_total',
    'Requests that asked for the response cache, by what it did for them',
    ['result'],
  );
  readonly admit = this.ledgerHistogram('ledger_admit_seconds', 'Duration of an admission to the ledger');
  readonly settle = this.ledgerHistogram('ledger_settle_seconds', 'Duration of a settlement in the ledger');
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

  private ledgerHistogram(name: string, help: string): Histogram {
    return new Histogram({ name, help, buckets: LEDGER_SECONDS, registers: [this.registry] });
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
