import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { IsNull, LessThan, MoreThan, Repository } from 'typeorm';
import { newId } from '../../common/index';
import { RefreshTokenEntity } from '../entities/refresh-token.entity';

/** The hash and the end of a token that is about to be handed out. */
export interface NewRefreshToken {
  readonly tokenHash: string;
  readonly expiresAt: Date;
}

@Injectable()
export class RefreshTokensRepository {
  constructor(
    @InjectRepository(RefreshTokenEntity) private readonly tokens: Repository<RefreshTokenEntity>,
  ) {}

  /** Starts a family for a login. Takes the user's dead tokens away, so that the table stays as small as its use. */
  async start(userId: string, token: NewRefreshToken): Promise<void> {
    await this.tokens.delete({ userId, expiresAt: LessThan(new Date()) });
    await this.tokens.insert({ ...token, id: newId(), userId, familyId: newId() });
  }

  /** Exchanges a token for its successor in the same family, once. The owner's id, or undefined when it is not usable. */
  rotate(tokenHash: string, successor: NewRefreshToken): Promise<string | undefined> {
    return this.tokens.manager.transaction(async (manager) => {
      const tokens = manager.getRepository(RefreshTokenEntity);
      const now = new Date();
      const usable = { tokenHash, usedAt: IsNull(), revokedAt: IsNull(), expiresAt: MoreThan(now) };
      const { affected } = await tokens.update(usable, { usedAt: now });
      if (affected !== 1) return undefined;
      const { userId, familyId } = await tokens.findOneByOrFail({ tokenHash });
      await tokens.insert({ ...successor, id: newId(), userId, familyId });
      return userId;
    });
  }
}
