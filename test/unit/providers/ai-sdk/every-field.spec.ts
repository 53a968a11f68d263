import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { OpenAI } from 'openai';
import { createSourceFile, isIdentifier, isInterfaceDeclaration, ScriptTarget } from 'typescript';
import type { ChatBody, ChatMessage, ContentPart } from '../../../../src/common/index';
import { ChatCompletionRequestDto } from '../../../../src/gateway/dto/chat-completion.request.dto';
import type { AiSdkShared } from '../../../../src/providers/adapters/ai-sdk/ai-sdk.adapter';
import type { Exchange } from '../../../../src/providers/adapters/ai-sdk/exchange';
import { UndiciTransport } from '../../../../src/providers/adapters/ai-sdk/undici-fetch';
import { READ_FIELDS } from '../../../../src/providers/adapters/ai-sdk/unread-fields';
import { AnthropicAdapter } from '../../../../src/providers/adapters/anthropic/anthropic.adapter';
import { ANTHROPIC_FIELDS } from '../../../../src/providers/adapters/anthropic/request';
import { BedrockAdapter } from '../../../../src/providers/adapters/bedrock/bedrock.adapter';
import { BEDROCK_FIELDS } from '../../../../src/providers/adapters/bedrock/request';
import { GoogleAdapter } from '../../../../src/providers/adapters/google/google.adapter';
import { GOOGLE_FIELDS } from '../../../../src/providers/adapters/google/request';
import { type ProviderAdapter, ProviderError } from '../../../../src/providers/index';
import { PIXEL } from '../../../support/contract/adapter-cases';
import { ANTHROPIC_GOLDENS } from '../../../support/contract/anthropic.goldens';
import { BEDROCK_GOLDENS } from '../../../support/contract/bedrock.goldens';
import { catalogModel } from '../../../support/contract/catalog-model';
import type { GoldenAnswer } from '../../../support/contract/golden-upstream';
import { GOOGLE_GOLDENS } from '../../../support/contract/google.goldens';

/** Answers every request with one golden answer and remembers what was sent. */
class RecordingTransport extends UndiciTransport {
  body = '';
  private readonly answer: string;

  constructor({ steps }: GoldenAnswer) {
    super();
    this.answer = steps.filter((step) => typeof step === 'string').join('');
  }

  override fetchFor(exchange: Exchange): typeof globalThis.fetch {
    return (_url, init) => {
      if (typeof init?.body !== 'string') throw new Error('A request needs a body');
      this.body = init.body;
      exchange.requested();
      exchange.answered(200, {});
      return Promise.resolve(new Response(this.answer, { headers: { 'content-type': 'application/json' } }));
    };
  }
}

const SETTINGS = { baseUrl: 'http://upstream.test', apiKey: 'k', isConfigured: true, variables: [] };
const ADAPTERS = {
  anthropic: {
    upstreamId: 'claude-sonnet-4-5',
    golden: ANTHROPIC_GOLDENS.text,
    create: (shared: AiSdkShared): ProviderAdapter => new AnthropicAdapter(SETTINGS, shared),
  },
  google: {
    upstreamId: 'gemini-2.5-pro',
    golden: GOOGLE_GOLDENS.text,
    create: (shared: AiSdkShared): ProviderAdapter => new GoogleAdapter(SETTINGS, shared),
  },
  bedrock: {
    upstreamId: 'us.anthropic.claude-sonnet-4-5-20250929-v1:0',
    golden: BEDROCK_GOLDENS.text,
    create: (shared: AiSdkShared): ProviderAdapter => new BedrockAdapter(SETTINGS, shared),
  },
} as const;
type Converting = keyof typeof ADAPTERS;
const CONVERTING = Object.keys(ADAPTERS) as Converting[];

/** `here`: honoured by Lattice itself, in which upstream has no part. */
type Outcome = 'sent' | 'warned' | 'refused' | 'here';

interface Row {
  readonly body: Partial<ChatBody>;
  /** What `body` is compared with: the same request without the field. */
  readonly without?: Partial<ChatBody>;
  readonly outcome: Outcome | Readonly<Record<Converting, Outcome>>;
  /** As what a warning names it, where that is not its path. */
  readonly named?: string;
}

type Chat = OpenAI.ChatCompletionCreateParams;
type Message = OpenAI.ChatCompletionMessageParam;
type Part = OpenAI.ChatCompletionContentPart | OpenAI.ChatCompletionContentPartRefusal;
type FieldsOf<T> = T extends unknown ? keyof T & string : never;
type OfRole = {
  [R in Message['role']]: `messages[].${R}.${FieldsOf<Extract<Message, { role: R }>>}`;
}[Message['role']];
type OfPart = {
  [T in Part['type']]: `messages[].content[].${T}.${FieldsOf<Extract<Part, { type: T }>>}`;
}[Part['type']];
/** Every field of the client that we test with: one that OpenAI adds is a missing row. */
type Path =
  | FieldsOf<Chat>
  | `stream_options.${FieldsOf<OpenAI.ChatCompletionStreamOptions>}`
  | `response_format.json_schema.${FieldsOf<OpenAI.ResponseFormatJSONSchema['json_schema']>}`
  | `tools[].${FieldsOf<OpenAI.ChatCompletionFunctionTool>}`
  | `tools[].function.${FieldsOf<OpenAI.FunctionDefinition>}`
  | OfRole
  | OfPart
  | `messages[].content[].image_url.${FieldsOf<OpenAI.ChatCompletionContentPartImage.ImageURL>}`
  | `messages[].content[].file.${FieldsOf<OpenAI.ChatCompletionContentPart.File.File>}`
  | `messages[].content[].input_audio.${FieldsOf<OpenAI.ChatCompletionContentPartInputAudio.InputAudio>}`
  | 'top_k'
  | 'cache_control'
  | 'tools[].cache_control'
  | 'messages[].user.cache_control'
  | 'messages[].content[].text.cache_control'
  | 'something_new'
  | 'messages[].user.something_new'
  | 'messages[].content[].text.something_new';

const HELLO: ChatMessage = { role: 'user', content: 'Hello' };
const SCHEMA = { type: 'object', properties: {}, additionalProperties: false } as const;
const MARK = { type: 'ephemeral' } as const;

const field = (name: string, value: ChatBody[string], outcome: Row['outcome'], named?: string): Row => ({
  body: { [name]: value },
  outcome,
  named,
});
const tool = (more: object, outcome: Row['outcome'], named?: string): Row => ({
  without: { tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA } }] },
  body: { tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA, ...more } }] },
  outcome,
  named,
});
const format = (more: object, outcome: Row['outcome']): Row => ({
  without: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA } } },
  body: { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: SCHEMA, ...more } } },
  outcome,
});
const message = (
  without: ChatMessage | undefined,
  more: Partial<ChatMessage>,
  outcome: Row['outcome'],
): Row => {
  const changed = { ...without, ...more } as ChatMessage;
  const asked = (...between: readonly ChatMessage[]): Partial<ChatBody> => ({
    tools: [{ type: 'function', function: { name: 'f' } }],
    messages: [...(changed.role === 'tool' ? [HELLO, CALL] : []), ...between, HELLO],
  });
  return { without: without ? asked(without) : asked(), body: asked(changed), outcome };
};
const part = (
  without: ContentPart | undefined,
  more: Partial<ContentPart>,
  outcome: Row['outcome'],
  role: 'user' | 'assistant' = 'user',
): Row => {
  const asked = (content: readonly ContentPart[]): Partial<ChatBody> => ({
    messages: [{ role, content: [{ type: 'text', text: 'Hi' }, ...content] }, HELLO],
  });
  const changed = { ...without, ...more } as ContentPart;
  return { without: asked(without ? [without] : []), body: asked([changed]), outcome };
};

const CALL: ChatMessage = {
  role: 'assistant',
  tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}' } }],
};
const SYSTEM: ChatMessage = { role: 'system', content: 'Rules' };
const DEVELOPER: ChatMessage = { role: 'developer', content: 'Rules' };
const ANSWER: ChatMessage = { role: 'assistant', content: 'Hi' };
const RESULT: ChatMessage = { role: 'tool', tool_call_id: 'c', content: '1' };
const TEXT: ContentPart = { type: 'text', text: 'x' };
const IMAGE: ContentPart = { type: 'image_url', image_url: { url: PIXEL } };
const PDF = 'data:application/pdf;base64,QUJD';
const FILE: ContentPart = { type: 'file', file: { file_data: PDF } };
const AUDIO: ContentPart = { type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } };
const BREAK = { prompt_cache_breakpoint: { mode: 'explicit' } };

const NOT_GOOGLE = { anthropic: 'sent', google: 'warned', bedrock: 'sent' } as const;
const ONLY_GOOGLE = { anthropic: 'warned', google: 'sent', bedrock: 'warned' } as const;
const ONLY_ANTHROPIC = { anthropic: 'sent', google: 'warned', bedrock: 'warned' } as const;
/** Audio: Claude takes none, and the library says so. */
const HEARD = { anthropic: 'refused', google: 'sent', bedrock: 'refused' } as const;

const ROWS: Readonly<Record<Path, Row>> = {
  model: field('model', 'another', 'here'),
  messages: { body: { messages: [{ role: 'user', content: 'Something else' }] }, outcome: 'sent' },
  stream: field('stream', false, 'here'),
  stream_options: { body: { stream_options: { include_usage: true } }, outcome: 'here' },
  'stream_options.include_usage': { body: { stream_options: { include_usage: true } }, outcome: 'here' },
  'stream_options.include_obfuscation': {
    body: {
      stream_options: { include_usage: true, include_obfuscation: true } as ChatBody['stream_options'],
    },
    outcome: 'warned',
  },
  max_tokens: field('max_tokens', 77, 'sent'),
  max_completion_tokens: field('max_completion_tokens', 77, 'sent'),
  temperature: field('temperature', 0.3, 'sent'),
  top_p: field('top_p', 0.3, 'sent'),
  top_k: field('top_k', 3, 'sent'),
  stop: field('stop', ['END'], 'sent'),
  seed: field('seed', 7, ONLY_GOOGLE),
  presence_penalty: field('presence_penalty', 1, 'warned'),
  frequency_penalty: field('frequency_penalty', 1, 'warned'),
  reasoning_effort: field('reasoning_effort', 'high', 'sent'),
  n: field('n', 2, 'warned'),
  logprobs: field('logprobs', true, 'warned'),
  top_logprobs: field('top_logprobs', 2, 'warned'),
  logit_bias: field('logit_bias', { 7: 1 }, 'warned'),
  user: field('user', 'ada', ONLY_ANTHROPIC),
  safety_identifier: field('safety_identifier', 'ada', ONLY_ANTHROPIC),
  metadata: field('metadata', { run: '7' }, 'warned'),
  store: field('store', true, 'warned'),
  prompt_cache_key: field('prompt_cache_key', 'k', 'warned'),
  prompt_cache_options: field('prompt_cache_options', { mode: 'explicit' }, 'warned'),
  prompt_cache_retention: field('prompt_cache_retention', '24h', 'warned'),
  service_tier: field('service_tier', 'default', NOT_GOOGLE),
  verbosity: field('verbosity', 'low', 'warned'),
  modalities: field('modalities', ['text', 'audio'], 'warned'),
  audio: field('audio', { voice: 'alloy', format: 'wav' }, 'warned'),
  moderation: field('moderation', { model: 'm' }, 'warned'),
  prediction: field('prediction', { type: 'content', content: 'x' }, 'warned'),
  web_search_options: field('web_search_options', { search_context_size: 'low' }, 'warned'),
  functions: field('functions', [{ name: 'f' }], 'warned'),
  function_call: field('function_call', { name: 'f' }, 'warned'),
  cache_control: field('cache_control', MARK, 'warned'),
  something_new: field('something_new', 1, 'warned'),
  tools: { body: { tools: [{ type: 'function', function: { name: 'f' } }] }, outcome: 'sent' },
  tool_choice: {
    ...tool({}, 'sent'),
    body: { ...tool({}, 'sent').without, tool_choice: 'required' },
  },
  parallel_tool_calls: {
    ...tool({}, NOT_GOOGLE),
    body: { ...tool({}, 'sent').without, parallel_tool_calls: false },
  },
  'tools[].type': { body: { tools: [{ type: 'custom' }] }, outcome: 'warned', named: 'tools of type' },
  'tools[].function': tool({ name: 'g' }, 'sent'),
  'tools[].cache_control': {
    ...tool({}, { anthropic: 'sent', google: 'warned', bedrock: 'warned' }, 'tools'),
    body: { tools: [{ type: 'function', function: { name: 'f', parameters: SCHEMA }, cache_control: MARK }] },
  },
  'tools[].function.name': tool({ name: 'g' }, 'sent'),
  'tools[].function.description': tool({ description: 'what for' }, 'sent'),
  'tools[].function.parameters': tool({ parameters: { type: 'object', properties: { a: {} } } }, 'sent'),
  'tools[].function.strict': tool({ strict: true }, 'sent'),
  response_format: { body: format({}, 'sent').body, outcome: 'sent' },
  'response_format.json_schema.name': format({ name: 'b' }, 'here'),
  'response_format.json_schema.description': format({ description: 'what for' }, 'sent'),
  'response_format.json_schema.schema': format({ schema: { ...SCHEMA, title: 'T' } }, 'sent'),
  'response_format.json_schema.strict': format({ strict: true }, 'here'),

  'messages[].system.role': message(HELLO, { role: 'system' }, 'sent'),
  'messages[].system.content': message(SYSTEM, { content: 'Other rules' }, 'sent'),
  'messages[].system.name': message(SYSTEM, { name: 'ada' }, 'warned'),
  'messages[].developer.role': message(HELLO, { role: 'developer' }, 'sent'),
  'messages[].developer.content': message(DEVELOPER, { content: 'Other rules' }, 'sent'),
  'messages[].developer.name': message(DEVELOPER, { name: 'ada' }, 'warned'),
  'messages[].user.role': message(ANSWER, { role: 'user' }, 'sent'),
  'messages[].user.content': message(HELLO, { content: 'Something else' }, 'sent'),
  'messages[].user.name': message(HELLO, { name: 'ada' }, 'warned'),
  'messages[].user.cache_control': message(HELLO, { cache_control: MARK }, NOT_GOOGLE),
  'messages[].user.something_new': message(HELLO, { something_new: 1 }, 'warned'),
  'messages[].assistant.role': message(HELLO, { role: 'assistant' }, 'sent'),
  'messages[].assistant.content': message(ANSWER, { content: 'Hello to you' }, 'sent'),
  'messages[].assistant.name': message(ANSWER, { name: 'bot' }, 'warned'),
  'messages[].assistant.refusal': message(ANSWER, { refusal: 'I will not' }, 'sent'),
  'messages[].assistant.audio': message(ANSWER, { audio: { id: 'a' } }, 'warned'),
  'messages[].assistant.function_call': message(
    ANSWER,
    { function_call: { name: 'f', arguments: '{}' } },
    'refused',
  ),
  'messages[].assistant.tool_calls': message(ANSWER, { tool_calls: CALL.tool_calls }, 'sent'),
  'messages[].tool.role': message(undefined, RESULT, 'sent'),
  'messages[].tool.content': message(RESULT, { content: '2' }, 'sent'),
  'messages[].tool.tool_call_id': message(RESULT, { tool_call_id: 'd' }, 'sent'),
  'messages[].function.role': message(HELLO, { role: 'function' }, 'refused'),
  'messages[].function.content': message(undefined, { role: 'function', content: '1' }, 'refused'),
  'messages[].function.name': message(undefined, { role: 'function', name: 'f' }, 'refused'),

  'messages[].content[].text.type': part(undefined, TEXT, 'sent'),
  'messages[].content[].text.text': part(TEXT, { text: 'y' }, 'sent'),
  'messages[].content[].text.prompt_cache_breakpoint': part(TEXT, BREAK, 'warned'),
  'messages[].content[].text.cache_control': part(TEXT, { cache_control: MARK }, NOT_GOOGLE),
  'messages[].content[].text.something_new': part(TEXT, { something_new: 1 }, 'warned'),
  'messages[].content[].refusal.type': part(
    undefined,
    { type: 'refusal', refusal: 'no' },
    'sent',
    'assistant',
  ),
  'messages[].content[].refusal.refusal': part(
    { type: 'refusal', refusal: 'no' },
    { refusal: 'never' },
    'sent',
    'assistant',
  ),
  'messages[].content[].image_url.type': part(undefined, IMAGE, 'sent'),
  'messages[].content[].image_url.image_url': part(undefined, IMAGE, 'sent'),
  'messages[].content[].image_url.url': part(undefined, IMAGE, 'sent'),
  'messages[].content[].image_url.detail': part(
    IMAGE,
    { image_url: { url: PIXEL, detail: 'low' } },
    'warned',
  ),
  'messages[].content[].image_url.prompt_cache_breakpoint': part(IMAGE, BREAK, 'warned'),
  'messages[].content[].file.type': part(undefined, FILE, 'sent'),
  'messages[].content[].file.file': part(undefined, FILE, 'sent'),
  'messages[].content[].file.file_data': part(FILE, { file: { file_data: `${PDF}QUJD` } }, 'sent'),
  'messages[].content[].file.filename': part(
    FILE,
    { file: { filename: 'b.pdf', file_data: PDF } },
    NOT_GOOGLE,
  ),
  'messages[].content[].file.file_id': part(undefined, { type: 'file', file: { file_id: 'f' } }, 'refused'),
  'messages[].content[].file.prompt_cache_breakpoint': part(FILE, BREAK, 'warned'),
  'messages[].content[].input_audio.type': part(undefined, AUDIO, HEARD),
  'messages[].content[].input_audio.input_audio': part(undefined, AUDIO, HEARD),
  'messages[].content[].input_audio.data': part(undefined, AUDIO, HEARD),
  'messages[].content[].input_audio.format': part(undefined, AUDIO, HEARD),
  'messages[].content[].input_audio.prompt_cache_breakpoint': part(
    undefined,
    { ...AUDIO, ...BREAK },
    { ...HEARD, google: 'warned' },
  ),
};

/** Interfaces of the client, and where their fields stand in the table. */
const DECLARED = {
  ChatCompletionCreateParamsBase: '',
  ChatCompletionStreamOptions: 'stream_options.',
  ChatCompletionFunctionTool: 'tools[].',
  ChatCompletionSystemMessageParam: 'messages[].system.',
  ChatCompletionDeveloperMessageParam: 'messages[].developer.',
  ChatCompletionUserMessageParam: 'messages[].user.',
  ChatCompletionAssistantMessageParam: 'messages[].assistant.',
  ChatCompletionToolMessageParam: 'messages[].tool.',
  ChatCompletionFunctionMessageParam: 'messages[].function.',
  ChatCompletionContentPartText: 'messages[].content[].text.',
  ChatCompletionContentPartRefusal: 'messages[].content[].refusal.',
  ChatCompletionContentPartImage: 'messages[].content[].image_url.',
  ChatCompletionContentPartInputAudio: 'messages[].content[].input_audio.',
} as const;
const CLIENT = path.resolve('node_modules/openai/resources/chat/completions/completions.d.ts');
const client = createSourceFile(CLIENT, readFileSync(CLIENT, 'utf8'), ScriptTarget.Latest);

/** Read from the client's own declarations: the tests run without the type check that would miss a row. */
function declaredFields(name: string): string[] {
  const declared = client.statements.filter(isInterfaceDeclaration).find((one) => one.name.text === name);
  return (declared?.members ?? []).flatMap((member) =>
    member.name && isIdentifier(member.name) ? [member.name.text] : [],
  );
}

interface Sent {
  readonly body: string;
  readonly warnings: readonly string[];
}

/** The request that leaves, through the provider's own library, and what the caller is told of it. */
async function send(provider: Converting, body: Partial<ChatBody>): Promise<Sent> {
  const { upstreamId, golden, create } = ADAPTERS[provider];
  const transport = new RecordingTransport(golden);
  const adapter = create({ transport });
  try {
    const { report } = await adapter.chat({
      model: catalogModel({ provider, upstreamId, maxOutputTokens: 8000 }),
      body: { model: upstreamId, messages: [HELLO], ...body },
      signal: new AbortController().signal,
      requestId: 'req_1',
    });
    return { body: transport.body, warnings: report.warnings };
  } finally {
    await adapter.close?.();
    await transport.close();
  }
}

/** Paths of the table without the role or the type that tells rows apart. */
function nameOf(place: string): string {
  return place
    .replace(/^messages\[\]\.(system|developer|user|assistant|tool|function)\./, 'messages[].')
    .replace(
      /content\[\]\.(text|refusal|image_url|file|input_audio)\.(prompt_|cache_|something)/,
      'content[].$2',
    );
}

function isRefusal(error: Error): boolean {
  return error instanceof ProviderError && error.fault === 'invalid_request';
}

async function outcomeOf(provider: Converting, place: string, row: Row): Promise<string> {
  const before = await send(provider, row.without ?? {});
  const after = await send(provider, row.body).catch((error: unknown) => error);
  if (after instanceof Error) return isRefusal(after) ? 'refused' : `failed: ${after.message}`;
  const name = row.named ?? nameOf(place);
  const { body, warnings } = after as Sent;
  const added = warnings.filter((warning) => !before.warnings.includes(warning));
  if (added.some((warning) => warning.startsWith(name) && !/^\w/.test(warning.slice(name.length)))) {
    return 'warned';
  }
  if (added.length > 0) return `warned of something else: ${added.join()}`;
  return body === before.body ? 'here' : 'sent';
}

describe('every field of a chat request', () => {
  const cases = Object.entries(ROWS).flatMap(([place, row]) =>
    CONVERTING.map((provider) => ({ place, row, provider })),
  );

  it.each(cases)(
    '$place is sent, refused or named in a warning by $provider',
    async ({ place, row, provider }) => {
      const expected = typeof row.outcome === 'string' ? row.outcome : row.outcome[provider];
      expect(await outcomeOf(provider, place, row)).toBe(expected);
    },
  );

  it.each(Object.entries(DECLARED))('of %s has a row', (name, prefix) => {
    const fields = declaredFields(name);
    expect(fields.length).toBeGreaterThan(1);
    expect(fields.filter((name) => !(`${prefix}${name}` in ROWS))).toEqual([]);
  });

  it('has a row, if our own description of the route or a conversion knows it', () => {
    const described = Reflect.getMetadata(
      'swagger/apiModelPropertiesArray',
      ChatCompletionRequestDto.prototype,
    ) as readonly string[];
    const known = [
      ...described.map((name) => name.slice(1)).filter((name) => name !== 'lattice'),
      ...Object.keys(READ_FIELDS),
      ...[ANTHROPIC_FIELDS, BEDROCK_FIELDS, GOOGLE_FIELDS].flatMap(({ ownFields }) => ownFields),
    ];
    expect(described.length).toBeGreaterThan(10);
    expect(known.filter((name) => !(name in ROWS))).toEqual([]);
  });

  it.each(CONVERTING)('that asks for nothing needs no warning of %s', async (provider) => {
    const neutral = {
      n: 1,
      logprobs: false,
      top_logprobs: 0,
      logit_bias: {},
      store: false,
      metadata: null,
      user: '',
      modalities: ['text'],
      verbosity: 'medium',
      parallel_tool_calls: true,
      service_tier: 'auto',
      tool_choice: 'auto',
      messages: [
        { ...HELLO, name: '' },
        { ...ANSWER, refusal: null, function_call: null, annotations: [], reasoning_content: 'Hm' },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: PIXEL, detail: 'auto' } },
            {
              type: 'file',
              file: { filename: 'document.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' },
            },
          ],
        },
      ] satisfies ChatMessage[],
    };
    expect((await send(provider, neutral)).warnings).toEqual([]);
  });
});
