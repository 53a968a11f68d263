import { NameField } from './fields';

export class UpdateMeRequestDto {
  @NameField('Ada King')
  name: string;
}
