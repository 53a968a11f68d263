import type { JsonObject, JsonValue, OutboundAnswer, RequestContext } from '../../common/index';
import { OutboundUrlError } from '../../common/index';
import type { Tool } from '../tool.port';
import { type Hop, nextHop } from './hop';
import { hopOf, HTTP_METHODS } from './http-arguments';
import { TOOL_TIMEOUTS_MS, type ToolHttp } from './tool-http';

const MAX_REDIRECTS = 5;
const MAX_BODY_BYTES = 64 * 1024;
/** As JSON, control characters take six bytes each. */
const OUTPUT_BYTES = 6 * MAX_BODY_BYTES + 8 * 1024;
/** Of an answer's headers, what a model can do something with. */
const SHOWN_HEADERS = ['content-type', 'etag', 'last-modified', 'link', 'location', 'retry-after'] as const;
const MAX_HEADER_LENGTH = 1000;

/** Calls hosts that the administrator lists, redirects included, by the rule for URLs that users set. */
export class HttpTool implements Tool {
  readonly name = 'http';
  readonly timeoutMs = TOOL_TIMEOUTS_MS.http;
  readonly outputBytes = OUTPUT_BYTES;
  readonly description =
    'Sends one HTTP request and gives status, headers and body. Only hosts that the administrator allows.';
  readonly parameters: JsonObject = {
    type: 'object',
    properties: {
      url: { type: 'string', maxLength: 2048, description: 'Absolute URL, http or https.' },
      method: { enum: HTTP_METHODS, description: 'Default GET.' },
      headers: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'A redirect to another host is followed without them.',
      },
      body: {
        type: ['string', 'object', 'array'],
        description: 'Text, or an object or a list to be sent as JSON.',
      },
    },
    required: ['url'],
    additionalProperties: false,
  };

  constructor(private readonly http: ToolHttp) {}

  unavailableReason(): string | undefined {
    const { isEmpty, wrongEntry } = this.http.hosts;
    if (isEmpty) return 'HTTP_TOOL_HOSTS names no host';
    return wrongEntry === undefined
      ? undefined
      : `HTTP_TOOL_HOSTS has an entry that is no host: ${wrongEntry}`;
  }

  /** @throws Error when the host is not allowed or cannot be reached; any status is a result. */
  async run(_ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    let hop = hopOf(args);
    for (let redirects = 0; ; redirects += 1) {
      const answer = await this.send(hop, signal);
      const next = nextHop(hop, answer);
      if (!next) return shown(hop, answer);
      if (redirects === MAX_REDIRECTS) throw new Error(`there were more than ${MAX_REDIRECTS} redirects`);
      hop = next;
    }
  }

  private async send({ url, ...request }: Hop, signal: AbortSignal): Promise<OutboundAnswer> {
    const target = URL.parse(url);
    if (!target) throw new Error('url is not an absolute URL such as https://example.com/page');
    if (!this.http.hosts.allows(target)) {
      throw new Error(`the host ${target.host} is not among those that may be called`);
    }
    const limits = { timeoutMs: TOOL_TIMEOUTS_MS.http, maxBytes: MAX_BODY_BYTES, signal };
    try {
      return await this.http.toNamed.send(target.href, { ...request, ...limits });
    } catch (error) {
      signal.throwIfAborted();
      throw unreachable(target, error);
    }
  }
}

/** Names no address: a model tells what it sees. */
function unreachable({ host }: URL, error: unknown): Error {
  if (error instanceof OutboundUrlError) return error;
  const { name, code } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return new Error(`${host} did not answer in time`);
  return new Error(`${host} could not be reached${code === undefined ? '' : ` (${code})`}`, { cause: error });
}

function shown({ url }: Hop, { status, headers, body, isCut }: OutboundAnswer): JsonObject {
  const kept = SHOWN_HEADERS.flatMap((name) => {
    const value = headers[name];
    return value === undefined ? [] : [[name, String(value).slice(0, MAX_HEADER_LENGTH)] as const];
  });
  const text = textOf(body, headers);
  return {
    status,
    url,
    headers: Object.fromEntries(kept),
    body: text ?? `[${body.length} bytes that are no text]`,
    ...(isCut && body.length > 0 ? { isCut } : {}),
  };
}

/** Undefined when it is no text. */
function textOf(body: Buffer, headers: OutboundAnswer['headers']): string | undefined {
  const charset = /charset="?([^";\s]+)/i.exec(String(headers['content-type'] ?? ''))?.[1] ?? 'utf-8';
  const isEncoded = !['', 'identity'].includes(String(headers['content-encoding'] ?? ''));
  if (isEncoded || body.includes(0)) return undefined;
  try {
    return new TextDecoder(charset).decode(body);
  } catch {
    return new TextDecoder().decode(body);
  }
}
