/**
 * What this installation has under way at providers whose capacity is limited, and what it sent in the last minute.
 * A scope is a provider (`openai`) or a model (`openai/gpt-6-sol`). The one writer is `capacity_turn`; it locks the rows
 * of `capacity_scopes` in the order of their names, and a grant's time is read under these locks.
 *
 * Minutes slide: grants are counted by the second, and a second counts until no part of it can lie within the same
 * 60 s as a request that is sent now (61 s from its start), and for one second more, which a request may take to arrive.
 */
import type { MigrationInterface, QueryRunner } from 'typeorm';
import { ROOM_FUNCTIONS } from './1790000011000-create-capacities/room-functions';
import { TABLES } from './1790000011000-create-capacities/tables';
import { TURN_FUNCTIONS } from './1790000011000-create-capacities/turn-functions';

export class CreateCapacities1790000011000 implements MigrationInterface {
  name = 'CreateCapacities1790000011000';

  async up(queryRunner: QueryRunner): Promise<void> {
    for (const statement of [...TABLES, ...ROOM_FUNCTIONS, ...TURN_FUNCTIONS])
      await queryRunner.query(statement);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(`drop function capacity_usage, capacity_turn, capacity_serve, capacity_end,
      capacity_beat, capacity_refusal, capacity_count`);
    await queryRunner.query(
      'drop table capacity_leases, capacity_windows, capacity_scopes, capacity_processes',
    );
  }
}
