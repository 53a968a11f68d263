import {
  Column,
  CreateDateColumn,
  Entity,
  Index,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  Unique,
} from 'typeorm';
import { UserEntity } from './user.entity';

/** A key acts for its owner. The key itself is never stored, only its SHA-256. */
@Entity('api_keys')
@Unique('api_keys_key_hash_key', ['keyHash'])
@Unique('api_keys_previous_key_hash_key', ['previousKeyHash'])
@Index('api_keys_user_id_idx', ['userId', 'id'])
export class ApiKeyEntity {
  @PrimaryColumn('uuid', { primaryKeyConstraintName: 'api_keys_pkey' })
  id: string;

  @Column('uuid', { name: 'user_id' })
  userId: string;

  @ManyToOne(() => UserEntity, { onDelete: 'CASCADE', nullable: false })
  @JoinColumn({ name: 'user_id', foreignKeyConstraintName: 'api_keys_user_id_fkey' })
  user?: UserEntity;

  @Column('text')
  name: string;

  /** The first characters, to tell keys apart in a list. */
  @Column('text')
  prefix: string;

  /** 64 hexadecimal digits. */
  @Column('text', { name: 'key_hash' })
  keyHash: string;

  /** The digest before the last rotation, which is taken until `previousKeyUntil`. */
  @Column('text', { name: 'previous_key_hash', nullable: true })
  previousKeyHash: string | null;

  @Column('timestamptz', { name: 'previous_key_until', nullable: true })
  previousKeyUntil: Date | null;

  /** Null: whatever its owner may do, except managing credentials. */
  @Column('text', { array: true, nullable: true })
  scopes: string[] | null;

  /** Null: every model. */
  @Column('text', { name: 'allowed_models', array: true, nullable: true })
  allowedModels: string[] | null;

  /** Its requests use the response cache unless they say otherwise. */
  @Column('boolean', { default: false })
  cache: boolean;

  @Column('timestamptz', { name: 'expires_at', nullable: true })
  expiresAt: Date | null;

  @Column('timestamptz', { name: 'revoked_at', nullable: true })
  revokedAt: Date | null;

  /** Exact to a minute. */
  @Column('timestamptz', { name: 'last_used_at', nullable: true })
  lastUsedAt: Date | null;

  @CreateDateColumn({ name: 'created_at', type: 'timestamptz' })
  createdAt: Date;
}
