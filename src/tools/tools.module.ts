import { Module, type OnModuleInit } from '@nestjs/common';
import { Clock, SystemClock } from '../common/index';
import { CurrentTimeTool } from './builtin/current-time.tool';
import { ToolRegistry } from './tool-registry';
import { ToolRunner } from './tool-runner.service';
import { ToolsController } from './tools.controller';

/** Needs AppConfig (global). Other modules register their tools in ToolRegistry when they start. */
@Module({
  controllers: [ToolsController],
  providers: [ToolRegistry, ToolRunner, CurrentTimeTool, { provide: Clock, useClass: SystemClock }],
  exports: [ToolRegistry, ToolRunner],
})
export class ToolsModule implements OnModuleInit {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly currentTime: CurrentTimeTool,
  ) {}

  onModuleInit(): void {
    this.registry.register(this.currentTime);
  }
}
