import type { TaskProfile } from '../../analysis/index';
import type { TaskType } from '../../common/index';

/**
 * The model's quality for this task, 0..1: its scores of the primary and the secondary types weighed by their confidence,
 * what no type claims counting as GENERAL.
 */
export function blendedQuality(
  scores: Readonly<Record<TaskType, number>>,
  profile: Pick<TaskProfile, 'taskType' | 'confidence' | 'secondary'>,
): number {
  let claimed = profile.confidence;
  let sum = profile.confidence * scores[profile.taskType];
  for (const { taskType, confidence } of profile.secondary) {
    claimed += confidence;
    sum += confidence * scores[taskType];
  }
  if (claimed >= 1) return sum / claimed;
  return sum + (1 - claimed) * scores.GENERAL;
}

export interface CapabilityFloors {
  readonly easyFloor: number;
  readonly hardFloor: number;
}

/**
 * Quality counted from a floor upwards, so that 1 is perfect and the floor 0; below it the same steps go on, down into the
 * negative, so that of two models below the floor the better one still counts more. The harder the task, the higher the
 * floor and the more a difference counts: weak models fall behind.
 */
export function capabilityScore(quality: number, complexity: number, floors: CapabilityFloors): number {
  const floor = floors.easyFloor + (floors.hardFloor - floors.easyFloor) * complexity;
  return (quality - floor) / (1 - floor);
}
