/** Projects as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors, noSuch, ownedId } from '../auth/index';
import type { RequestContext } from '../common/index';
import type { ListProjectsQueryDto } from './dto/project.request.dto';
import { ProjectDto, type ProjectPageDto, ProjectSummaryDto } from './dto/project.response.dto';
import { PROJECT, type Project, type ProjectFigures } from './project';
import { ProjectsRepository } from './projects.repository';

const NOTHING: ProjectFigures = Object.freeze({ tasks: {}, spentPicoUsd: 0n });

@Injectable()
export class ProjectPages {
  constructor(
    private readonly projects: ProjectsRepository,
    private readonly cursors: Cursors,
  ) {}

  /** Four queries, whatever the size of the page. */
  async list(
    ctx: RequestContext,
    { status, q, limit, cursor }: ListProjectsQueryDto,
  ): Promise<ProjectPageDto> {
    const list = `projects/${status ?? ''}/${q ?? ''}`;
    const beforeId = this.cursors.decode<string>(ctx, list, cursor);
    const query = { status, namePrefix: q, limit: limit + 1, beforeId };
    const rows = await this.projects.list(ctx, query);
    const { items, nextCursor } = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ id }) => id });
    const figures = await this.projects.figuresOf(items);
    const data = items.map((one) => ProjectSummaryDto.summary(one, figures.get(one.id) ?? NOTHING));
    return { data, nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<ProjectDto> {
    const project = await this.projects.find(ctx, ownedId(PROJECT, id));
    if (!project) throw noSuch(PROJECT);
    return await this.of(project);
  }

  async of(project: Project): Promise<ProjectDto> {
    const figures = await this.projects.figuresOf([project]);
    return ProjectDto.of(project, figures.get(project.id) ?? NOTHING);
  }
}
