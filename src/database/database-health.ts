import { Injectable } from '@nestjs/common';
import { within } from '../common/index';
import { DatabaseWatch } from './database-watch';

const LIMIT_MS = 1000;

/** Whether PostgreSQL answers right now. Everybody may ask, so no connection that money needs is used for it. */
@Injectable()
export class DatabaseHealth {
  constructor(private readonly watch: DatabaseWatch) {}

  /** Never rejects, and answers within a second. */
  async isUp(): Promise<boolean> {
    return (await within(LIMIT_MS, this.watch.look())) ?? false;
  }
}
