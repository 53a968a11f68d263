import type { JsonObject, JsonValue, RequestContext } from '../../common/index';
import { TOOL_TIMEOUTS_MS } from '../http/tool-http';
import type { Tool } from '../tool.port';
import type { LocalModels } from './local-inference';

const NOT_SET = 'OLLAMA_BASE_URL is not set';
const MAX_TEXT_CHARS = 1_000_000;

/** Lets a model ask a local one, through the metered door like every inference. */
export class OllamaTool implements Tool {
  readonly name = 'ollama';
  readonly timeoutMs = TOOL_TIMEOUTS_MS.ollama;
  readonly description =
    'Asks a local model, which costs nothing: for summaries, drafts and other simple work. Or makes the vector of a text.';
  readonly parameters: JsonObject = {
    type: 'object',
    properties: {
      model: {
        type: 'string',
        minLength: 1,
        maxLength: 200,
        description: 'As the local server names it, for instance llama3.2:3b.',
      },
      prompt: { type: 'string', minLength: 1, maxLength: MAX_TEXT_CHARS },
      system: {
        type: 'string',
        maxLength: MAX_TEXT_CHARS,
        description: 'Instructions that go before the prompt.',
      },
      action: { enum: ['generate', 'embed'], description: 'Default generate.' },
    },
    required: ['model', 'prompt'],
    additionalProperties: false,
  };

  constructor(private readonly models: LocalModels) {}

  unavailableReason(): string | undefined {
    const inference = this.models.find();
    return inference ? inference.unavailableReason() : NOT_SET;
  }

  /** @throws AppError */
  async run(ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    const inference = this.models.find();
    if (!inference) throw new Error(NOT_SET);
    const { model, prompt, system } = args as { model: string; prompt: string; system?: string };
    if (args.action === 'embed') {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TOOL_TIMEOUTS_MS.embeddings)]);
      const vector = await inference.embed({ ...ctx, signal: limit }, model, prompt);
      return { model, dimensions: vector.length, vector };
    }
    const answer = await inference.generate({ ...ctx, signal }, { model, prompt, system });
    return { model: answer.model, text: answer.text };
  }
}
