import { applyDecorators } from '@nestjs/common';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsString, Length, Matches, ValidateBy } from 'class-validator';
import { IfPresent, isJsonObject, MAX_URL_LENGTH } from '../../../common/index';
import { MCP_SERVER_NAME, MCP_SERVER_NAME_RULE } from '../../../config/index';

const MAX_HEADERS = 20;
const MAX_HEADER_CHARS = 8192;
const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;
const HEADER_VALUE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/;
/** They are the connection's and the protocol's own. */
const RESERVED =
  /^(?:accept|accept-encoding|connection|content-.*|expect|host|keep-alive|last-event-id|mcp-.*|proxy-.*|te|trailer|transfer-encoding|upgrade)$/i;

const NAME = { type: String, pattern: MCP_SERVER_NAME.source, maxLength: 32, example: 'wiki' } as const;
const URL = {
  type: String,
  format: 'uri',
  maxLength: MAX_URL_LENGTH,
  example: 'https://example.com/mcp',
  description: 'https, and public.',
} as const;
const HEADERS = {
  type: 'object',
  additionalProperties: { type: 'string' },
  writeOnly: true,
  example: { authorization: 'Bearer an-example-token' },
  description: `Sent with every call; at most ${MAX_HEADERS}.`,
} as const;

const NameRules = (): PropertyDecorator =>
  Matches(MCP_SERVER_NAME, { message: `name ${MCP_SERVER_NAME_RULE}` });
const UrlRules = (): PropertyDecorator => applyDecorators(IsString(), Length(1, MAX_URL_LENGTH));
const HeadersRules = (): PropertyDecorator =>
  applyDecorators(
    IfPresent(),
    ValidateBy({
      name: 'isHeaders',
      validator: {
        validate: (value: unknown) => headersProblem(value) === undefined,
        defaultMessage: (args) => `headers ${headersProblem(args?.value) ?? 'are not valid'}`,
      },
    }),
  );

export class CreateMcpServerRequestDto {
  @ApiProperty({ ...NAME, description: 'Part of the names of its tools.' })
  @NameRules()
  name: string;

  @ApiProperty(URL)
  @UrlRules()
  url: string;

  @ApiPropertyOptional(HEADERS)
  @HeadersRules()
  headers?: Record<string, string>;
}

export class UpdateMcpServerRequestDto {
  @ApiPropertyOptional(NAME)
  @IfPresent()
  @NameRules()
  name?: string;

  @ApiPropertyOptional(URL)
  @IfPresent()
  @UrlRules()
  url?: string;

  @ApiPropertyOptional({ ...HEADERS, description: 'All of them anew; {} for none. Left out: as they are.' })
  @HeadersRules()
  headers?: Record<string, string>;
}

/** Names no value. */
function headersProblem(value: unknown): string | undefined {
  if (!isJsonObject(value)) return 'must be an object of names and values';
  const headers = Object.entries(value);
  if (headers.length > MAX_HEADERS) return `must have at most ${MAX_HEADERS} entries`;
  if (JSON.stringify(value).length > MAX_HEADER_CHARS)
    return `must have at most ${MAX_HEADER_CHARS} characters`;
  if (new Set(headers.map(([name]) => name.toLowerCase())).size < headers.length)
    return 'must not name one twice';
  for (const [name, text] of headers) {
    if (!HEADER_NAME.test(name)) return 'must have names of headers';
    if (RESERVED.test(name)) return `must not set ${name}`;
    if (typeof text !== 'string' || !HEADER_VALUE.test(text)) {
      return `must have a value of visible ASCII characters for ${name}`;
    }
  }
  return undefined;
}
