import { Injectable } from '@nestjs/common';
import type { ChatMessage } from '../common/index';
import type { AgentDefinition, AgentTask, TaskSurroundings } from './agent';
import { AgentTemplates, type TemplateScope } from './agent-templates';
import { taskText } from './task-text';

/** The one place where the messages for a task are made. The same arguments give the same messages. */
@Injectable()
export class TaskMessages {
  constructor(private readonly templates: AgentTemplates) {}

  /**
   * The agent's prompt as the system message, if it gives any text, and the task as the user's. Earlier results come as
   * they are: the caller sees to it that they fit.
   * @throws PromptTemplateError when the prompt is no usable template (any more)
   */
  build(agent: AgentDefinition, task: AgentTask, surroundings: TaskSurroundings): ChatMessage[] {
    const system = this.templates.render(agent.prompt, scopeOf(agent, task, surroundings)).trim();
    const user: ChatMessage = { role: 'user', content: taskText(task, surroundings) };
    return system === '' ? [user] : [{ role: 'system', content: system }, user];
  }
}

/** Field by field: a template sees what is documented and nothing that is added later. */
function scopeOf(agent: AgentDefinition, task: AgentTask, surroundings: TaskSurroundings): TemplateScope {
  const { title, description, deliverables, successCriteria, metadata, maxTokens, priority } = task;
  const { type, capabilities, tools } = agent;
  const { project, earlier } = surroundings;
  return {
    task: {
      title,
      description,
      deliverables,
      successCriteria,
      agent: task.agent,
      metadata,
      maxTokens,
      priority,
    },
    project: project && { name: project.name, requirements: project.requirements },
    agent: { type, description: agent.description, capabilities, tools },
    earlier: earlier.map((result) => ({ title: result.title, output: result.output })),
  };
}
