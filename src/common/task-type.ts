/** The kinds of task that routing tells apart; VISION and TOOL_USE follow from the request's fields, the rest from its text. */
export const TASK_TYPES = [
  'CODE_GENERATION',
  'DEBUGGING',
  'DATA_ANALYSIS',
  'MATH',
  'REASONING',
  'CREATIVE_WRITING',
  'TRANSLATION',
  'SUMMARIZATION',
  'EXTRACTION',
  'CLASSIFICATION',
  'GENERAL',
  'VISION',
  'TOOL_USE',
] as const;
export type TaskType = (typeof TASK_TYPES)[number];

/** What a request is booked as: a kind of task for what a chat model does, and the work of other models beside them. */
export const WORK_TYPES = [...TASK_TYPES, 'EMBEDDING'] as const;
export type WorkType = (typeof WORK_TYPES)[number];

export function isTaskType(value: string): value is TaskType {
  return (TASK_TYPES as readonly string[]).includes(value);
}
