import type { JsonObject, JsonValue, RequestContext } from '../../common/index';
import type { Tool } from '../tool.port';
import { type FileOwner, fileOwner } from './file-owner';
import type { ProjectFiles } from './project-files.service';
import { type ContentEncoding, fromContent, textOf } from './file-content';

/** Of one reading; more is read from `nextOffset` on. */
const MAX_READ_BYTES = 48 * 1024;
/** As JSON, control characters take six bytes each. */
const OUTPUT_BYTES = 6 * MAX_READ_BYTES + 2 * 1024;

interface FileArguments {
  readonly action: 'read' | 'write' | 'append' | 'list' | 'delete';
  readonly path?: string;
  readonly content?: string;
  readonly encoding?: ContentEncoding;
  readonly offset?: number;
}

/** Reads and writes the files of the project that a call belongs to; without a project, those of its user. */
export class FileTool implements Tool {
  readonly name = 'file';
  readonly outputBytes = OUTPUT_BYTES;
  readonly description =
    'The files of this project: reads, writes, extends, lists and deletes them. Paths are relative, such as notes/plan.md; folders come with the files in them.';
  readonly parameters: JsonObject = {
    type: 'object',
    properties: {
      action: { enum: ['read', 'write', 'append', 'list', 'delete'] },
      path: { type: 'string', description: 'The file; of list: a folder, left out for everything.' },
      content: { type: 'string', description: 'What write and append put into the file.' },
      encoding: { enum: ['utf8', 'base64'], description: 'Of the content, both ways. Default utf8.' },
      offset: {
        type: 'integer',
        minimum: 0,
        description: 'Byte that read begins at: the nextOffset of the part before.',
      },
    },
    required: ['action'],
    additionalProperties: false,
  };

  constructor(private readonly files: ProjectFiles) {}

  /** @throws AppError that names no path of this machine */
  async run(ctx: RequestContext, args: JsonObject, signal: AbortSignal): Promise<JsonValue> {
    const wanted = args as unknown as FileArguments;
    const owner = fileOwner(ctx);
    const { action } = wanted;
    switch (action) {
      case 'list':
        return await this.list(owner, wanted.path);
      case 'read':
        return await this.read(owner, wanted);
      case 'write':
      case 'append': {
        const { path, bytes } = await this.files[action](owner, pathOf(wanted), contentOf(wanted), signal);
        return { path, bytes };
      }
      case 'delete':
        await this.files.remove(owner, pathOf(wanted), signal);
        return { path: pathOf(wanted), isDeleted: true };
      default:
        throw new Error(`There is no action ${String(action satisfies never)}`);
    }
  }

  private async list(owner: FileOwner, folder = ''): Promise<JsonObject> {
    const path = folder.replace(/\/$/, '');
    const { files, isCut } = await this.files.list(owner, path === '' || path === '.' ? undefined : path);
    const shown = files.map((file) => ({ ...file, modifiedAt: file.modifiedAt.toISOString() }));
    return { files: shown, ...(isCut ? { isCut } : {}) };
  }

  private async read(owner: FileOwner, wanted: FileArguments): Promise<JsonObject> {
    const path = pathOf(wanted);
    const { offset = 0, encoding = 'utf8' } = wanted;
    const { bytes, size } = await this.files.read(owner, path, { offset, maxBytes: MAX_READ_BYTES });
    const isEnd = offset + bytes.length >= size;
    const content = encoding === 'base64' ? bytes.toString('base64') : textOf(bytes, isEnd);
    const end = offset + (encoding === 'base64' ? bytes.length : Buffer.byteLength(content));
    return { path, content, encoding, bytes: size, ...(end < size ? { nextOffset: end } : {}) };
  }
}

function pathOf({ action, path }: FileArguments): string {
  if (path === undefined) throw new Error(`${action} needs a path`);
  return path;
}

function contentOf({ action, content, encoding }: FileArguments): Buffer {
  if (content === undefined) throw new Error(`${action} needs content`);
  return fromContent(content, encoding);
}
