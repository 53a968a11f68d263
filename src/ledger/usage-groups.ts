/** What usage can be summed by. */
export const USAGE_GROUPS = ['day', 'model', 'key', 'project', 'provider', 'taskType'] as const;
export type UsageGroup = (typeof USAGE_GROUPS)[number];
