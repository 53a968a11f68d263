import type { RequestContext } from '../common/index';

/** What the rest of the module asks of runs. Implemented in `runs/`. */
export abstract class RunControl {
  /** Begins the newest run of a project, which is approved. @param projectId UUID @throws InvalidStatusError */
  abstract start(ctx: RequestContext, projectId: string): Promise<void>;

  /** Ends every run of the project wherever it is; when it is back, nothing of them writes any more. @param projectId UUID */
  abstract cancelAll(ctx: RequestContext, projectId: string): Promise<void>;
}
