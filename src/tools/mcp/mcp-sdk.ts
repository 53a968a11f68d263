/** The protocol's own library, loaded at its first use: that takes longer than the boot of all tools. */
import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import type { FetchLike, Transport } from '@modelcontextprotocol/sdk/shared/transport.js';

export type { Client, FetchLike, Transport };
export type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js';

type ClientModule = typeof import('@modelcontextprotocol/sdk/client/index.js');
type HttpModule = typeof import('@modelcontextprotocol/sdk/client/streamableHttp.js');
type StdioModule = typeof import('@modelcontextprotocol/sdk/shared/stdio.js');
type TypesModule = typeof import('@modelcontextprotocol/sdk/types.js');

const IDENTITY = { name: 'lattice', version: '1' };
/** Results are text for models: what a server says about their shape is not compiled. */
const NO_VALIDATION = {
  getValidator: () => (input: unknown) => ({
    valid: true as const,
    data: input as never,
    errorMessage: undefined,
  }),
};

/** Offers the server nothing: no sampling, which would be inference past the meter, no files, no questions to users. */
export function newClient(): Client {
  const { Client } = require('@modelcontextprotocol/sdk/client/index.js') as ClientModule;
  return new Client(IDENTITY, { capabilities: {}, jsonSchemaValidator: NO_VALIDATION });
}

export function httpTransport(
  url: string,
  headers: Readonly<Record<string, string>>,
  fetch: FetchLike,
): Transport {
  const { StreamableHTTPClientTransport } =
    require('@modelcontextprotocol/sdk/client/streamableHttp.js') as HttpModule;
  return new StreamableHTTPClientTransport(new URL(url), { fetch, requestInit: { headers: { ...headers } } });
}

export function stdioCodec(): Pick<StdioModule, 'ReadBuffer' | 'serializeMessage'> {
  return require('@modelcontextprotocol/sdk/shared/stdio.js') as StdioModule;
}

export function toolListChanged(): TypesModule['ToolListChangedNotificationSchema'] {
  return (require('@modelcontextprotocol/sdk/types.js') as TypesModule).ToolListChangedNotificationSchema;
}
