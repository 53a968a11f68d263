export * from './agent';
export { AgentRegistry } from './agent-registry';
export { PromptTemplateError } from './agents.errors';
export { AgentsModule } from './agents.module';
export { AgentTaskDto, TaskFieldsDto } from './dto/agent-task.dto';
export { TaskMessages } from './task-messages';
