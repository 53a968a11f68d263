import { Injectable } from '@nestjs/common';
import type { RequestContext } from '../common/index';
import { ProjectFiles } from '../tools/index';
import { PlanningCancellation } from './plans/planning-cancellation';
import { RunControl } from './run-control';

/** What has to end before a project can go, and what goes after it. Project ids are UUIDs. */
@Injectable()
export class ProjectEndings {
  constructor(
    private readonly runs: RunControl,
    private readonly plannings: PlanningCancellation,
    private readonly files: ProjectFiles,
  ) {}

  /** Cancels whatever is under way. A tool elsewhere may be told a moment later: FileCleanup takes what it still writes. */
  async endAll(ctx: RequestContext, projectId: string): Promise<void> {
    await this.plannings.cancelAll(projectId);
    await this.runs.cancelAll(ctx, projectId);
  }

  async removeFiles(projectId: string): Promise<void> {
    await this.files.removeAll({ projectId });
  }
}
