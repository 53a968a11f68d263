import { hash } from 'node:crypto';
import type { Experiment, ExperimentArm } from './experiment';

const PLACES = 2 ** 48;

/**
 * The arm of whoever has this id (UUID); undefined: outside of the share. It depends on the two ids, the share and the
 * weights only, so it is the same in every process and at any time. Two independent parts of one digest decide: who is
 * inside of a share stays inside of every larger one, in the same arm.
 */
export function armOf(
  { id, share, arms }: Pick<Experiment, 'id' | 'share' | 'arms'>,
  stickyId: string,
): ExperimentArm | undefined {
  const digest = hash('sha256', `${id}:${stickyId}`, 'buffer');
  if (digest.readUIntBE(0, 6) / PLACES >= share) return undefined;
  const weights = arms.reduce((sum, { weight }) => sum + weight, 0);
  let left = (digest.readUIntBE(6, 6) / PLACES) * weights;
  return arms.find(({ weight }) => (left -= weight) < 0) ?? arms.at(-1);
}
