import type { RequestContext } from '../common/index';

/** What the rest of the module asks of runs. Implemented in `runs/`. */
export abstract class RunControl {
  /** Begins the newest run of a project, which is approved. @param projectId UUID @throws InvalidStatusError */
  abstract start(ctx: RequestContext, projectId: string): Promise<void>;

  /**
   * Ends every run of the project, whatever the status of that is. When it is back, none of them changes a row any more;
   * calls and tools under way have been told to stop. @param projectId UUID
   */
  abstract cancelAll(ctx: RequestContext, projectId: string): Promise<void>;
}
