import { Injectable, Logger } from '@nestjs/common';
import { noSuch, ownedId } from '../../auth/index';
import { fromApiId, type JsonObject, type RequestContext, within } from '../../common/index';
import { AppConfig } from '../../config/index';
import { ValidationError } from '../../errors/index';
import { BackgroundTasks } from '../../observability/index';
import { invalid } from '../invalid';
import type { ListInputItemsQueryDto } from './dto/list-input-items.query.dto';
import type { InputItemListDto } from './dto/stored-response.response.dto';
import { inputItemId } from './items';
import type { Previous, ResponsesRequest } from './request';
import { responseOf } from './references';
import { PreviousResponseNotFoundError } from './responses.errors';
import { RESPONSE, type StoredResponse } from './stored-response';
import { StoredResponsesRepository } from './stored-responses.repository';

/** An answer waits this long for PostgreSQL to keep it; then it goes out and says that it was not kept. */
const PATIENCE_MS = 2000;
const NOT_KEPT = 'it cannot be retrieved, nor named as previous_response_id';

/** How keeping a response ended; `warning` is for the caller, when it was not kept. */
interface Saved {
  readonly warning?: string;
}

/** Responses that were answered before: kept for their owner, and gone on from. */
@Injectable()
export class StoredResponses {
  private readonly logger = new Logger(StoredResponses.name);

  constructor(
    private readonly responses: StoredResponsesRepository,
    private readonly config: AppConfig,
    private readonly background: BackgroundTasks,
  ) {}

  /**
   * The conversation that ends with a response of this caller. It may be as long as one that is sent in a request.
   * @throws PreviousResponseNotFoundError, ValidationError (too long)
   */
  async previous({ principal }: RequestContext, apiId: string): Promise<Previous> {
    const id = fromApiId(RESPONSE.prefix, apiId);
    const { MAX_MESSAGES: maxTurns, BODY_LIMIT_BYTES: maxBytes } = this.config.vars;
    const chain =
      id && (await this.responses.chain({ id, userId: principal.userId }, { maxTurns, maxBytes }));
    if (!chain || chain.is === 'missing') {
      throw new PreviousResponseNotFoundError(
        `Previous response with id '${apiId.slice(0, 100)}' not found, or one that it goes on from was removed: ` +
          'send the conversation as input',
      );
    }
    if (chain.is === 'too long') {
      throw new ValidationError(
        'previous_response_id stands for a conversation that is longer than a request may be: send what matters of it as input',
        { param: 'previous_response_id' },
      );
    }
    const items = chain.turns.flatMap(({ input, output }) => [...input, ...output]);
    return { id, items: items.filter(({ type }) => type !== 'reasoning') };
  }

  /** The items of this caller's responses that are there, by id. */
  async items(
    { principal }: RequestContext,
    itemIds: readonly string[],
  ): Promise<ReadonlyMap<string, JsonObject>> {
    const ids = new Set(itemIds.flatMap((id) => responseOf(id) ?? []));
    if (ids.size === 0) return new Map();
    const { BODY_LIMIT_BYTES: maxBytes } = this.config.vars;
    const turns = await this.responses.turns([...ids], principal.userId, maxBytes);
    const items = turns.flatMap(({ input, output }) => [...input, ...output]);
    return new Map(items.map((item) => [item.id as string, item]));
  }

  /** Keeps a response if that was asked for. Never rejects. @returns what the caller has to know when it was not kept. */
  async keep(
    ctx: RequestContext,
    { input, isStored, previousId }: ResponsesRequest,
    response: JsonObject,
  ): Promise<string | undefined> {
    if (!isStored) return undefined;
    const { requestId } = ctx;
    const { output, ...answer } = response;
    const stored: StoredResponse = {
      input: input.map((item, index) => ({ ...item, id: inputItemId(requestId, item, index) })),
      output: output as unknown as readonly JsonObject[],
      answer,
    };
    const saving = this.save(ctx, previousId, stored);
    const saved = await within(PATIENCE_MS, saving);
    if (saved) return saved.warning;
    this.background.run('forget a response that was stored too late', () => this.forget(ctx, saving));
    return `the response was not stored in time: ${NOT_KEPT}`;
  }

  /** @throws NotFoundError */
  async get(ctx: RequestContext, apiId: string): Promise<JsonObject> {
    const { answer, output } = await this.found(ctx, apiId);
    return { ...answer, output };
  }

  /** @throws NotFoundError */
  async remove({ principal }: RequestContext, apiId: string): Promise<void> {
    if (!(await this.responses.remove(ownedId(RESPONSE, apiId), principal))) throw noSuch(RESPONSE);
  }

  /** @throws NotFoundError, ValidationError (an unknown `after`) */
  async inputItems(
    ctx: RequestContext,
    apiId: string,
    { after, limit, order }: ListInputItemsQueryDto,
  ): Promise<InputItemListDto> {
    const { input } = await this.found(ctx, apiId);
    const items = order === 'asc' ? input : input.toReversed();
    const start = after === undefined ? 0 : items.findIndex(({ id }) => id === after) + 1;
    if (after !== undefined && start === 0) invalid('after', 'must be the id of an item of this response');
    const data = items.slice(start, start + limit);
    return {
      object: 'list',
      data: [...data],
      first_id: idOf(data.at(0)),
      last_id: idOf(data.at(-1)),
      has_more: start + limit < items.length,
    };
  }

  /** Never rejects. */
  private async save(
    { requestId, principal }: RequestContext,
    previousId: string | undefined,
    stored: StoredResponse,
  ): Promise<Saved> {
    const key = { id: requestId, userId: principal.userId };
    const { BODY_LIMIT_BYTES: maxBytes } = this.config.vars;
    try {
      const isKept = await this.responses.create(key, previousId, stored, maxBytes);
      return isKept ? {} : { warning: `the response was not stored: it is too large; ${NOT_KEPT}` };
    } catch (failure) {
      this.logger.error(`A response could not be stored: ${(failure as Error).message}`);
      return { warning: `the response was not stored: the database did not take it; ${NOT_KEPT}` };
    }
  }

  /** Its caller was told that it is not kept: nor shall it be, should PostgreSQL take it after all. */
  private async forget({ requestId, principal }: RequestContext, saving: Promise<Saved>): Promise<void> {
    const { warning } = await saving;
    if (warning === undefined) await this.responses.remove(requestId, principal);
  }

  private async found({ principal }: RequestContext, apiId: string): Promise<StoredResponse> {
    const stored = await this.responses.find(ownedId(RESPONSE, apiId), principal);
    if (!stored) throw noSuch(RESPONSE);
    return stored;
  }
}

function idOf(item: JsonObject | undefined): string | null {
  return typeof item?.id === 'string' ? item.id : null;
}
