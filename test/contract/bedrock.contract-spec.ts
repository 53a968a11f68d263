import { BedrockAdapter } from '../../src/providers/adapters/bedrock/bedrock.adapter';
import { BEDROCK_GOLDENS } from '../support/contract/bedrock.goldens';
import {
  API_KEY,
  type ContractRow,
  FACTS,
  MODEL_ID,
  PIXEL,
  PROMPT,
  REQUESTS,
} from '../support/contract/adapter-cases';
import { catalogModel } from '../support/contract/catalog-model';
import type { ReceivedRequest } from '../support/contract/golden-upstream';
import { runContract } from '../support/contract/run-contract';

const SECRET = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY';
const AWS = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: SECRET,
  // The only credential that is sent as it is.
  sessionToken: API_KEY,
  region: 'eu-central-1',
};
const SIGNED =
  /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=[\w;-]*host;[\w;-]*, Signature=[0-9a-f]{64}$/;

const ASKED = { role: 'user', content: [{ text: PROMPT }] };
const TOOL_SPECS = REQUESTS.tools().tools?.map(({ function: tool }) => ({
  toolSpec: { name: tool?.name, description: tool?.description, inputSchema: { json: tool?.parameters } },
}));
const TOOL_CONFIG = { tools: TOOL_SPECS, toolChoice: { auto: {} } };

/** The request in Converse's dialect, whole: nothing may be added that the caller did not ask for. */
const sends =
  (expected: object, system: unknown = [{ text: 'Answer briefly.' }]) =>
  (request: ReceivedRequest) => {
    expect(request.headers.authorization).toMatch(SIGNED);
    expect(JSON.stringify(request)).not.toContain(SECRET);
    expect(request.headers['x-request-id']).toBe('req_0123456789abcdef0123456789abcdef');
    expect(request.body).toEqual({
      system,
      messages: [ASKED],
      inferenceConfig: { maxTokens: 256 },
      ...(JSON.parse(JSON.stringify(expected)) as object),
    });
  };

const row: ContractRow = {
  name: BedrockAdapter.name,
  model: catalogModel({ provider: 'bedrock', upstreamId: MODEL_ID }),
  goldens: BEDROCK_GOLDENS,
  chatPath: `/model/${MODEL_ID}/converse`,
  streamPath: `/model/${MODEL_ID}/converse-stream`,
  credentialHeader: ['x-amz-security-token', API_KEY],
  mockPath: '',
  tells: { reasoning: false },
  received: {
    text: sends({}),
    stream: sends({}),
    parallelTools: sends({ toolConfig: TOOL_CONFIG }),
    streamTools: sends({ toolConfig: TOOL_CONFIG }),
    toolResult: sends(
      {
        messages: [
          { role: 'user', content: [{ text: 'Weather in Paris and Rome?' }] },
          {
            role: 'assistant',
            content: FACTS.calls.map(({ id, name, arguments: input }) => ({
              toolUse: { toolUseId: id, name, input },
            })),
          },
          {
            role: 'user',
            content: [
              { toolResult: { toolUseId: 'call_a', content: [{ text: '18 degrees' }] } },
              { toolResult: { toolUseId: 'call_b', content: [{ text: '24 degrees' }] } },
            ],
          },
        ],
        toolConfig: { tools: TOOL_SPECS },
      },
      [],
    ),
    image: sends(
      {
        messages: [
          {
            role: 'user',
            content: [
              { text: 'What colour is this?' },
              { image: { format: 'png', source: { bytes: PIXEL.split(',')[1] } } },
            ],
          },
        ],
      },
      [],
    ),
    jsonSchema: sends({
      toolConfig: {
        tools: [
          {
            toolSpec: {
              name: 'json',
              description: 'Respond with a JSON object.',
              inputSchema: { json: REQUESTS.jsonSchema().response_format?.json_schema?.schema },
            },
          },
        ],
        toolChoice: { any: {} },
      },
    }),
  },
  create: (baseUrl) => new BedrockAdapter({ baseUrl, aws: AWS, isConfigured: true, variables: [] }),
};

runContract(row);
