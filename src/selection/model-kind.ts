import { type CatalogModel, kindOf, type ModelKind } from '../catalog/index';
import { ValidationError } from '../errors/index';

const WRONG_KIND: Readonly<Record<ModelKind, string>> = {
  chat: 'makes embeddings and cannot chat; ask POST /v1/embeddings, or name a chat model',
  embedding: 'is a chat model and makes no embeddings; GET /v1/models marks the models that do',
};

/** @throws ValidationError when the named model does another kind of work. */
export function requireKind(model: CatalogModel | undefined, kind: ModelKind, param: string): void {
  if (!model || kindOf(model) === kind) return;
  throw new ValidationError(`The model ${model.id} ${WRONG_KIND[kind]}`, { param });
}
