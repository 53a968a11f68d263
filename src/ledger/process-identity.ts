import { hostname } from 'node:os';
import { Injectable } from '@nestjs/common';
import { newId } from '../common/index';

/** Who holds the holds: this process, for as long as it lives. */
@Injectable()
export class ProcessIdentity {
  readonly id: string = newId();
  readonly pid = process.pid;
  readonly host = hostname();
}
