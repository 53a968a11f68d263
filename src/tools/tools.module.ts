import { Module } from '@nestjs/common';
import { Clock, SystemClock } from '../common/index';
import { BuiltInTools } from './builtin/built-in-tools.service';
import { ComfyUi } from './comfyui/comfyui.service';
import { ProjectFiles } from './files/project-files.service';
import { ToolHttp } from './http/tool-http';
import { LocalModels } from './local/local-inference';
import { ToolRegistry } from './tool-registry';
import { ToolRunner } from './tool-runner.service';
import { ToolsController } from './tools.controller';

/** Needs AppConfig (global). Other modules register their tools in ToolRegistry when they start. */
@Module({
  controllers: [ToolsController],
  providers: [
    BuiltInTools,
    ComfyUi,
    LocalModels,
    ProjectFiles,
    ToolHttp,
    ToolRegistry,
    ToolRunner,
    { provide: Clock, useClass: SystemClock },
  ],
  exports: [LocalModels, ProjectFiles, ToolRegistry, ToolRunner],
})
export class ToolsModule {}
