import { Logger } from '@nestjs/common';
import type { JsonObject } from '../common/index';
import { type ArgumentCheck, argumentCheck, boundedArgumentCheck } from './argument-check';
import type { Tool, ToolState } from './tool.port';

/** A registered tool. Whatever is wrong with it stays with it. */
export class KnownTool {
  private readonly logger = new Logger(KnownTool.name);
  private readonly facts: Pick<Tool, 'name' | 'description' | 'parameters'>;
  private compiled?: { readonly check?: ArgumentCheck; readonly problem?: string };

  constructor(readonly tool: Tool) {
    const { name, description, parameters } = tool;
    this.facts = { name, description, parameters };
  }

  get unavailableReason(): string | undefined {
    try {
      return this.tool.unavailableReason?.() ?? (this.isOwned ? this.compiled : this.schema)?.problem;
    } catch (error) {
      this.logger.error(`The tool ${this.facts.name} cannot say whether it is available: ${String(error)}`);
      return 'the tool cannot say whether it is available';
    }
  }

  get state(): ToolState {
    return { ...this.facts, unavailableReason: this.unavailableReason };
  }

  /** In sentences for the model; empty when the arguments fit. @throws Error about the schema */
  problems(args: JsonObject): readonly string[] {
    const { check, problem } = this.schema;
    if (!check) throw new Error(problem);
    return check(args);
  }

  private get isOwned(): boolean {
    return this.tool.ownerId !== undefined;
  }

  /**
   * Compiled when the tool is first looked for: compiling takes longer than starting all tools. One of a user's is compiled
   * when it is first called: there may be thousands, and nobody is to wait for all of them.
   */
  private get schema(): { readonly check?: ArgumentCheck; readonly problem?: string } {
    return (this.compiled ??= this.compile());
  }

  private compile(): { readonly check?: ArgumentCheck; readonly problem?: string } {
    try {
      const toCheck = this.isOwned ? boundedArgumentCheck : argumentCheck;
      return { check: toCheck(this.facts.parameters) };
    } catch (error) {
      const problem = `the schema of its arguments is not valid: ${(error as Error).message}`;
      if (!this.isOwned) this.logger.error(`The tool ${this.facts.name} is not available: ${problem}`);
      return { problem };
    }
  }
}
