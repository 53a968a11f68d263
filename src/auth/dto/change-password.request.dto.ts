import { NewPasswordField, PasswordField } from './fields';

export class ChangePasswordRequestDto {
  @PasswordField()
  currentPassword: string;

  @NewPasswordField('battery horse staple correct')
  newPassword: string;
}
