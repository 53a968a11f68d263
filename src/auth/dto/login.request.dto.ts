import { EmailField, PasswordField } from './fields';

export class LoginRequestDto {
  @EmailField()
  email: string;

  @PasswordField()
  password: string;
}
