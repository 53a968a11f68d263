import { Injectable } from '@nestjs/common';
import { RowCleanup } from '../../../database/index';
import { CapabilityVersions } from './capability-versions.repository';

/** Forgets versions that no decision of the last days can name. */
@Injectable()
export class OldCapabilityVersions extends RowCleanup {
  constructor(versions: CapabilityVersions) {
    super([(limit) => versions.forget(limit)]);
  }
}
