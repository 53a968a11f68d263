import { Injectable } from '@nestjs/common';
import { TaskMessages } from '../../agents/index';
import { EarlierResults } from './earlier-results.service';
import { RunEvents } from './run-events';
import { TaskCallers } from './task-callers';
import { WorkRepository } from './work.repository';

/** What the steps of tasks are made with. */
@Injectable()
export class TaskParts {
  constructor(
    readonly work: WorkRepository,
    readonly callers: TaskCallers,
    readonly earlier: EarlierResults,
    readonly messages: TaskMessages,
    readonly events: RunEvents,
  ) {}
}
