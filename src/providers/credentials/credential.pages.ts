/** Credentials as REST shows them. */
import { Injectable } from '@nestjs/common';
import { Cursors } from '../../auth/index';
import type { RequestContext } from '../../common/index';
import { CredentialsRepository } from './credentials.repository';
import { CredentialDto, type CredentialPageDto } from './dto/credential.response.dto';
import type { ListCredentialsQueryDto } from './dto/list-credentials.query.dto';

@Injectable()
export class CredentialPages {
  constructor(
    private readonly credentials: CredentialsRepository,
    private readonly cursors: Cursors,
  ) {}

  async list(
    ctx: RequestContext,
    { provider, limit, cursor }: ListCredentialsQueryDto,
  ): Promise<CredentialPageDto> {
    const list = `credentials/${provider ?? ''}`;
    const beforeId = this.cursors.decode<string>(ctx, list, cursor);
    const rows = await this.credentials.list(ctx, { provider, limit: limit + 1, beforeId });
    const page = this.cursors.page(ctx, list, { rows, limit, positionOf: ({ id }) => id });
    return { data: page.items.map((one) => CredentialDto.from(ctx, one)), nextCursor: page.nextCursor };
  }
}
