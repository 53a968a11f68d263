/** Runs as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors, noSuch, ownedId } from '../../auth/index';
import type { PageQueryDto, RequestContext } from '../../common/index';
import { PROJECT } from '../project';
import { RunDto, type RunPageDto } from './dto/run.response.dto';
import type { Run } from './run';
import { RunRepository } from './run.repository';

const NOTHING = { tasks: {}, spentPicoUsd: 0n };

@Injectable()
export class RunPages {
  constructor(
    private readonly runs: RunRepository,
    private readonly cursors: Cursors,
  ) {}

  /** Newest first. @throws NotFoundError */
  async list(
    ctx: RequestContext,
    project: string,
    { limit, cursor }: Pick<PageQueryDto, 'limit' | 'cursor'>,
  ): Promise<RunPageDto> {
    const projectId = ownedId(PROJECT, project);
    const list = `runs/${projectId}`;
    const before = this.cursors.decode<number>(ctx, list, cursor);
    const rows = await this.runs.list(ctx, projectId, { limit: limit + 1, before });
    const { items, nextCursor } = this.cursors.page(ctx, list, {
      rows,
      limit,
      positionOf: ({ number }) => number,
    });
    return { data: await this.show(items), nextCursor };
  }

  /** The newest run of a project. @throws NotFoundError when it has none */
  async newest(ctx: RequestContext, project: string): Promise<RunDto> {
    const runs = await this.runs.list(ctx, ownedId(PROJECT, project), { limit: 1 });
    const [shown] = await this.show(runs);
    if (!shown) throw noSuch({ name: 'run' });
    return shown;
  }

  private async show(runs: readonly Run[]): Promise<RunDto[]> {
    const figures = await this.runs.figuresOf(runs);
    return runs.map((run) => RunDto.from(run, figures.get(run.id) ?? NOTHING));
  }
}
