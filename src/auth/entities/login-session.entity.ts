import { Column, CreateDateColumn, Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from 'typeorm';
import { UserEntity } from './user.entity';

/** What one login started: the family of its refresh tokens, and every access token that names it. */
@Entity('login_sessions')
@Index('login_sessions_user_id_idx', ['userId'])
@Index('login_sessions_expires_at_idx', ['expiresAt'])
export class LoginSessionEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'login_sessions_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => UserEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'login_sessions_user_id_fkey' })
  user?: UserEntity;

  /** The end of its newest refresh token. */
  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  /** Set: none of its tokens is accepted. */
  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  /** Refresh tokens that were exchanged in the minute that began at `exchangesSince`. */
  @Column('integer', { default: 0 })
  exchanges: number;

  @Column('timestamptz', { name: 'exchanges_since', default: () => 'now()' })
  exchangesSince: Date;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
