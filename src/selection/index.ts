export { mayUse } from './allowed-models';
export { isRouted } from './asked-model';
export { decisionRecord } from './decisions/decision-record';
export { RouteExplanationDto } from './dto/route-explanation.response.dto';
export { embeddingDecision, type EmbeddingPlan } from './embedding-plan';
export { EmbeddingSelection } from './embedding-selection.service';
export * from './execution-plan';
export { ModelAvailability } from './model-availability';
export {
  CapabilityMissingError,
  ContextLengthExceededError,
  ModelNotAllowedError,
  NoSuitableModelError,
  PriceUnknownError,
} from './selection.errors';
export { SelectionModule } from './selection.module';
export { SelectionService } from './selection.service';
