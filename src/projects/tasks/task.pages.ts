/** Tasks as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors, noSuch, ownedId } from '../../auth/index';
import { fromApiId, type RequestContext } from '../../common/index';
import { PROJECT, TASK } from '../project';
import type { ListTasksQueryDto } from './dto/task.request.dto';
import { TaskDto, type TaskPageDto, ListedTaskDto } from './dto/task.response.dto';
import type { Task } from './task';
import { TasksRepository } from './tasks.repository';

const NONE = { dependsOn: [], steps: 0 };

@Injectable()
export class TaskPages {
  constructor(
    private readonly tasks: TasksRepository,
    private readonly cursors: Cursors,
  ) {}

  /** In the order of the plan, with a fixed number of queries. @throws NotFoundError */
  async list(
    ctx: RequestContext,
    project: string,
    { state, runId, limit, cursor }: ListTasksQueryDto,
  ): Promise<TaskPageDto> {
    const projectId = ownedId(PROJECT, project);
    const list = `tasks/${projectId}/${runId ?? ''}/${state ?? ''}`;
    const after = this.cursors.decode<number>(ctx, list, cursor);
    const rows = await this.tasks.list(ctx, {
      projectId,
      runId: runId === undefined ? undefined : fromApiId('run', runId),
      state,
      limit: limit + 1,
      after,
    });
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ position }) => position });
    const figures = await this.tasks.figuresOf(page.items.map(({ id }) => id));
    const data = page.items.map((task) => ListedTaskDto.from(task, figures.get(task.id) ?? NONE));
    return { data, nextCursor: page.nextCursor };
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, id: string): Promise<TaskDto> {
    const task = await this.tasks.find(ctx, ownedId(TASK, id));
    if (!task) throw noSuch(TASK);
    return await this.show(task);
  }

  async show(task: Task): Promise<TaskDto> {
    return TaskDto.from(task, (await this.tasks.figuresOf([task.id])).get(task.id) ?? NONE);
  }
}
