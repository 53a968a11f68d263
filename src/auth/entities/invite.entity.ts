import {
  Check,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
} from 'typeorm';
import type { Role } from '../../common/index';
import { UserEntity } from './user.entity';

/** Lets one person register. The token itself is never stored, only its SHA-256. */
@Entity('invites')
@Unique('invites_token_hash_key', ['tokenHash'])
@Index('invites_created_by_idx', ['createdBy'])
@Check('invites_email_check', 'email = lower(email)')
@Check('invites_role_check', "role in ('admin', 'operator', 'viewer')")
export class InviteEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'invites_pkey' })
  id: string;

  /** 64 hexadecimal digits. */
  @Column('text', { name: 'token_hash' })
  tokenHash: string;

  /** Lower-case; null: for any address. */
  @Column('text', { nullable: true })
  email: string | null;

  @Column('text')
  role: Role;

  /** The administrator who made it, without whom it is worth nothing; null: deleted since. */
  @Column('uuid', { name: 'created_by', nullable: true })
  createdBy: string | null;

  @ManyToOne(() => UserEntity, { onDelete: 'SET NULL', nullable: true })
  @JoinColumn({ name: 'created_by', foreignKeyConstraintName: 'invites_created_by_fkey' })
  maker?: UserEntity | null;

  @Column('timestamptz', { name: 'expires_at' })
  expiresAt: Date;

  @Column('timestamptz', { name: 'used_at', nullable: true })
  usedAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
