/** Workflows of ComfyUI: nodes by id, as its "Save (API format)" writes them. Pure. */
import { isJsonObject, type JsonObject, type JsonValue } from '../../common/index';

/** What a workflow's placeholders stand for. */
export interface WorkflowValues {
  readonly checkpoint: string;
  readonly prompt: string;
  readonly negativePrompt: string;
  readonly width: number;
  readonly height: number;
  readonly steps: number;
  readonly seed: number;
}

const PLACEHOLDER = /^\{\{(\w+)\}\}$/;

/** Text to image with one checkpoint. */
export const DEFAULT_WORKFLOW: JsonObject = {
  '3': {
    class_type: 'KSampler',
    inputs: {
      seed: '{{seed}}',
      steps: '{{steps}}',
      cfg: 7,
      sampler_name: 'euler',
      scheduler: 'normal',
      denoise: 1,
      model: ['4', 0],
      positive: ['6', 0],
      negative: ['7', 0],
      latent_image: ['5', 0],
    },
  },
  '4': { class_type: 'CheckpointLoaderSimple', inputs: { ckpt_name: '{{checkpoint}}' } },
  '5': {
    class_type: 'EmptyLatentImage',
    inputs: { width: '{{width}}', height: '{{height}}', batch_size: 1 },
  },
  '6': { class_type: 'CLIPTextEncode', inputs: { text: '{{prompt}}', clip: ['4', 1] } },
  '7': { class_type: 'CLIPTextEncode', inputs: { text: '{{negativePrompt}}', clip: ['4', 1] } },
  '8': { class_type: 'VAEDecode', inputs: { samples: ['3', 0], vae: ['4', 2] } },
  '9': { class_type: 'SaveImage', inputs: { filename_prefix: 'lattice', images: ['8', 0] } },
};

/**
 * What a workflow that a model wrote may consist of. ComfyUI is shared by all users: nodes that load images read what it drew
 * for others, and those that were installed besides may do anything on its machine.
 */
const SAFE_NODES: ReadonlySet<string> = new Set(
  (
    'CheckpointLoaderSimple CLIPLoader DualCLIPLoader UNETLoader VAELoader LoraLoader LoraLoaderModelOnly UpscaleModelLoader ' +
    'CLIPSetLastLayer CLIPTextEncode CLIPTextEncodeFlux CLIPTextEncodeSDXL CLIPTextEncodeSDXLRefiner ' +
    'ConditioningAverage ConditioningCombine ConditioningConcat ConditioningSetArea ConditioningSetTimestepRange ' +
    'ConditioningZeroOut FluxGuidance EmptyLatentImage EmptySD3LatentImage LatentUpscale LatentUpscaleBy ' +
    'KSampler KSamplerAdvanced KSamplerSelect SamplerCustom SamplerCustomAdvanced BasicScheduler KarrasScheduler ' +
    'BasicGuider CFGGuider RandomNoise ModelSamplingFlux ModelSamplingSD3 VAEDecode VAEDecodeTiled VAEEncode ' +
    'ImageCrop ImageInvert ImageScale ImageScaleBy ImageUpscaleWithModel SaveImage'
  ).split(' '),
);

/** The kind of the first node that a model may not use; undefined: there is none. */
export function refusedNode(workflow: JsonObject): string | undefined {
  const kinds = Object.values(workflow).map((node) => {
    const kind = isJsonObject(node) ? node.class_type : undefined;
    return typeof kind === 'string' ? kind : JSON.stringify(kind ?? null);
  });
  return kinds.find((kind) => !SAFE_NODES.has(kind));
}

/** Kept under a name that nobody can guess, whatever the workflow says. */
export function keptAs(workflow: JsonObject, name: string): JsonObject {
  const named = Object.entries(workflow).map(([id, node]) => {
    if (!isJsonObject(node) || node.class_type !== 'SaveImage' || !isJsonObject(node.inputs))
      return [id, node];
    return [id, { ...node, inputs: { ...node.inputs, filename_prefix: name } }];
  });
  return Object.fromEntries(named) as JsonObject;
}

/** A text that is nothing but `{{seed}}` becomes the value, as the number or the text it is. */
export function filled<T extends JsonValue>(workflow: T, values: WorkflowValues): T {
  return JSON.parse(JSON.stringify(workflow), (_, part: JsonValue) => {
    const name = typeof part === 'string' ? PLACEHOLDER.exec(part)?.[1] : undefined;
    return name !== undefined && Object.hasOwn(values, name) ? values[name as keyof WorkflowValues] : part;
  }) as T;
}
