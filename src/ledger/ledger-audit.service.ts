/** Checks of the books that administrators ask for, as REST shows them. */
import { Injectable } from '@nestjs/common';
import { formatUsd, parseInstant, type RequestContext, toApiId } from '../common/index';
import { AuditSink, ValidationError } from '../errors/index';
import type { LedgerDifferenceDto, ReconcileResponseDto } from './dto/reconcile.response.dto';
import type { RerateRequestDto } from './dto/rerate.request.dto';
import type { RatedSumDto, RerateResponseDto } from './dto/rerate.response.dto';
import { scopeApiId } from './ledger.scopes';
import { type LedgerDifference, Reconciliation } from './reconciliation.service';
import type { RatedSum } from './rerate';
import { type PriceBookChoice, Rerater } from './rerater.service';
import type { Plain } from './usage-rows';

@Injectable()
export class LedgerAudit {
  constructor(
    private readonly reconciliation: Reconciliation,
    private readonly rerater: Rerater,
    private readonly audit: AuditSink,
  ) {}

  async reconcile(ctx: RequestContext): Promise<ReconcileResponseDto> {
    const differences = (await this.reconciliation.reconcile()).map(toDifference);
    const answer = {
      isBalanced: differences.length === 0,
      checkedBudgets: await this.reconciliation.countBudgets(),
      differences,
      reconciledAt: new Date().toISOString(),
    };
    const { isBalanced, checkedBudgets } = answer;
    const after = { isBalanced, checkedBudgets, differences: differences.length };
    await this.audit.record(ctx, { action: 'ledger.reconcile', resourceId: null, after });
    return answer;
  }

  /** Nothing is written but the audit log. @throws ValidationError */
  async rerate(ctx: RequestContext, body: RerateRequestDto): Promise<RerateResponseDto> {
    const { from, to } = body;
    if (to <= from) throw new ValidationError('to must lie after from', { param: 'to' });
    const priceBook = choiceOf(body.priceBook);
    const totals = await this.rerater.rerate({ from, to, priceBook }, ctx.signal);
    const asked = { from, to, priceBook: priceBook instanceof Date ? priceBook.toISOString() : priceBook };
    const sums = sumDto(totals);
    await this.audit.record(ctx, { action: 'ledger.rerate', resourceId: null, after: { ...asked, ...sums } });
    return {
      ...asked,
      ...sums,
      rerated: totals.rerated,
      models: sorted(totals.models).map(([model, sum]) => ({ model, ...sumDto(sum) })),
      days: sorted(totals.days).map(([day, sum]) => ({ day, ...sumDto(sum) })),
      unpriced: sorted(totals.unpriced).map(([model, { lines, oldPicoUsd }]) => ({
        model,
        lines,
        costUsd: formatUsd(oldPicoUsd),
      })),
      kept: {
        lines: totals.kept.lines,
        costUsd: formatUsd(totals.kept.oldPicoUsd),
        first: totals.keptLines.map(({ requestId, attempt, model, costPicoUsd = 0n }) => ({
          requestId: toApiId('req', requestId),
          attempt,
          model,
          costUsd: formatUsd(costPicoUsd),
        })),
      },
    };
  }
}

function choiceOf(priceBook: string): PriceBookChoice {
  if (priceBook === 'booked' || priceBook === 'current') return priceBook;
  const at = parseInstant(priceBook);
  if (at !== undefined) return new Date(at);
  throw new ValidationError('priceBook must be booked, current, or a date or time', { param: 'priceBook' });
}

function sumDto({ lines, oldPicoUsd, newPicoUsd }: RatedSum): Plain<RatedSumDto> {
  return {
    lines,
    oldUsd: formatUsd(oldPicoUsd),
    newUsd: formatUsd(newPicoUsd),
    differenceUsd: formatUsd(newPicoUsd - oldPicoUsd),
  };
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].toSorted(([left], [right]) => (left < right ? -1 : 1));
}

function toDifference(difference: LedgerDifference): LedgerDifferenceDto {
  const { counter, scope, scopeId, counted, actual } = difference;
  const isCount = counter === 'running';
  const text = (amount: bigint): string => (isCount ? String(amount) : formatUsd(amount));
  return {
    counter,
    id: toApiId(isCount ? 'lim' : 'bud', difference.id),
    scope,
    scopeId: scopeApiId(scope, scopeId),
    period: difference.period ?? null,
    periodStart: difference.period === 'total' ? null : (difference.periodStart?.toISOString() ?? null),
    counted: text(counted),
    actual: text(actual),
  };
}
