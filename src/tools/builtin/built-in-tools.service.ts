import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Clock } from '../../common/index';
import { ComfyUi } from '../comfyui/comfyui.service';
import { ComfyUiTool } from '../comfyui/comfyui.tool';
import { FileTool } from '../files/file.tool';
import { ProjectFiles } from '../files/project-files.service';
import { HttpTool } from '../http/http.tool';
import { ToolHttp } from '../http/tool-http';
import { LocalModels } from '../local/local-inference';
import { OllamaTool } from '../local/ollama.tool';
import { ToolRegistry } from '../tool-registry';
import { CurrentTimeTool } from './current-time.tool';

/** The tools that come with Lattice. Each is set up by itself. */
@Injectable()
export class BuiltInTools implements OnModuleInit {
  constructor(
    private readonly registry: ToolRegistry,
    private readonly clock: Clock,
    private readonly files: ProjectFiles,
    private readonly http: ToolHttp,
    private readonly localModels: LocalModels,
    private readonly comfyUi: ComfyUi,
  ) {}

  onModuleInit(): void {
    this.registry.setUp('current_time', () => new CurrentTimeTool(this.clock));
    this.registry.setUp('file', () => new FileTool(this.files));
    this.registry.setUp('http', () => new HttpTool(this.http));
    this.registry.setUp('ollama', () => new OllamaTool(this.localModels));
    this.registry.setUp('comfyui', () => new ComfyUiTool(this.comfyUi, this.files));
  }
}
