import { BooleanFilter, IdFilter, PageQueryDto } from '../../common/index';

export class ListKeysQueryDto extends PageQueryDto {
  @IdFilter('usr', 'Keys of this user. Administrators only, unless it is you.')
  userId?: string;

  @BooleanFilter({ default: false, description: "Everybody's keys. Administrators only." })
  all: boolean = false;

  @BooleanFilter({ default: false, description: 'Revoked keys as well.' })
  includeRevoked: boolean = false;
}
