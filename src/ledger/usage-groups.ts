/** What usage can be summed by. */
export const USAGE_GROUPS = [
  'day',
  'model',
  'provider',
  'taskType',
  'agent',
  'key',
  'user',
  'project',
  'task',
  'session',
] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];
