import type { TaskProfile } from '../../analysis/index';
import type { TaskType } from '../../common/index';

/**
 * The model's quality for this task, 0..1: its scores of the primary and the secondary types weighed by their confidence,
 * what no type claims counting as GENERAL.
 */
export function blendedQuality(scores: Readonly<Record<TaskType, number>>, profile: TaskProfile): number {
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

/** Quality above the floor, stretched to 0..1. The harder the task, the higher the floor: weak models fall behind. */
export function capabilityScore(quality: number, complexity: number, floors: CapabilityFloors): number {
  const floor = floors.easyFloor + (floors.hardFloor - floors.easyFloor) * complexity;
  return Math.max(0, (quality - floor) / (1 - floor));
}
