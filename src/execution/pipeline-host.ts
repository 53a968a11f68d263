import { Injectable } from '@nestjs/common';
import { AppConfig } from '../config/index';
import { AppLogger, OpenRequests } from '../observability/index';

/** What the pipeline needs of the process it runs in. */
@Injectable()
export class PipelineHost {
  constructor(
    readonly config: AppConfig,
    readonly logger: AppLogger,
    readonly open: OpenRequests,
  ) {}
}
