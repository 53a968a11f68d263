import { randomInt, randomUUID } from 'node:crypto';
import { Logger } from '@nestjs/common';
import { type JsonObject, type JsonValue, newId, type RequestContext } from '../../common/index';
import { fileOwner } from '../files/file-owner';
import type { ProjectFiles } from '../files/project-files.service';
import { TOOL_TIMEOUTS_MS } from '../http/tool-http';
import type { Tool } from '../tool.port';
import type { ComfyUiClient } from './comfyui.client';
import type { ComfyUi } from './comfyui.service';
import { imageExtension } from './image-type';
import { DEFAULT_WORKFLOW, filled, keptAs, refusedNode, type WorkflowValues } from './workflow';

const MAX_WORKFLOW_BYTES = 256 * 1024;
const SEEDS = 2 ** 48 - 1;
const DEFAULTS = { negativePrompt: '', width: 1024, height: 1024, steps: 20 } as const;
const side = { type: 'integer', minimum: 64, maximum: 4096, multipleOf: 8 } as const;

interface ImageArguments extends Partial<Omit<WorkflowValues, 'checkpoint'>> {
  readonly prompt: string;
  readonly workflow?: JsonObject;
}

/** Draws an image with the installation's ComfyUI and keeps it among the project's files. */
export class ComfyUiTool implements Tool {
  readonly name = 'comfyui';
  readonly timeoutMs =
    TOOL_TIMEOUTS_MS.comfyUiSubmit + TOOL_TIMEOUTS_MS.comfyUiPoll + TOOL_TIMEOUTS_MS.comfyUiView;
  readonly description = 'Draws an image from a description and stores it among the files of this project.';
  readonly parameters: JsonObject = {
    type: 'object',
    properties: {
      prompt: { type: 'string', minLength: 1, maxLength: 10_000, description: 'What the image shows.' },
      negativePrompt: { type: 'string', maxLength: 10_000, description: 'What it must not show.' },
      width: { ...side, description: 'Pixels. Default 1024.' },
      height: { ...side, description: 'Pixels. Default 1024.' },
      steps: { type: 'integer', minimum: 1, maximum: 150, description: 'Default 20.' },
      seed: {
        type: 'integer',
        minimum: 0,
        maximum: SEEDS,
        description: 'The same seed draws the same image.',
      },
      workflow: {
        type: 'object',
        minProperties: 1,
        description:
          'A workflow of your own in ComfyUI’s API format; "{{prompt}}", "{{negativePrompt}}", "{{width}}", "{{height}}", "{{steps}}", "{{seed}}" and "{{checkpoint}}" in it are filled in. It may have ComfyUI’s own nodes that load models, encode, sample, decode, scale and save; none that load images.',
      },
    },
    required: ['prompt'],
    additionalProperties: false,
  };
  private readonly logger = new Logger(ComfyUiTool.name);

  constructor(
    private readonly comfyUi: ComfyUi,
    private readonly files: ProjectFiles,
  ) {}

  unavailableReason(): string | undefined {
    return this.comfyUi.unavailableReason;
  }

  /** @throws Error saying what ComfyUI refused or could not do; AppError when the files have no room */
  async run(ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    const { client, checkpoint } = this.comfyUi;
    if (!client) throw new Error(this.comfyUi.unavailableReason);
    const { workflow = DEFAULT_WORKFLOW, ...wanted } = args as unknown as ImageArguments;
    const values = { ...DEFAULTS, seed: randomInt(SEEDS), ...wanted, checkpoint };
    if (JSON.stringify(workflow).length > MAX_WORKFLOW_BYTES) throw new Error('The workflow is too large');
    const drawn = filled(workflow, values);
    const refused = refusedNode(drawn);
    if (refused !== undefined) throw new Error(`The workflow may not have a node of the kind ${refused}`);
    const image = await this.draw(client, keptAs(drawn, `lattice-${newId()}`), signal);
    const extension = imageExtension(image);
    if (extension === undefined) throw new Error('ComfyUI gave something that is no image');
    const { path, bytes } = await this.files.write(
      fileOwner(ctx),
      `images/${newId()}.${extension}`,
      image,
      signal,
    );
    return { file: path, bytes, seed: values.seed };
  }

  private async draw(client: ComfyUiClient, workflow: JsonObject, signal: AbortSignal): Promise<Buffer> {
    let id: string = randomUUID();
    try {
      id = await client.submit(id, workflow, signal);
      const [image] = await client.finished(id, signal);
      if (!image) throw new Error('The workflow keeps no image');
      return await client.view(image, signal);
    } catch (error) {
      await this.cancel(client, id);
      throw error;
    }
  }

  /** Nobody waits for the image any more; one that is finished or was never taken is not among those it finds. */
  private async cancel(client: ComfyUiClient, id: string): Promise<void> {
    try {
      await client.cancel(id);
    } catch (error) {
      this.logger.warn(`A drawing could not be cancelled: ${String(error)}`);
    }
  }
}
