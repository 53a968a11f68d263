import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index';
import { ExecutionModule } from '../execution/index';
import { ScoringModule } from '../scoring/index';
import { SelectionModule } from '../selection/index';
import { CallableModels } from './callable-models';
import { ChatController } from './chat.controller';
import { ChatRequests } from './chat-requests';
import { EmbeddingRequests } from './embeddings/embedding-requests';
import { EmbeddingsController } from './embeddings/embeddings.controller';
import { FeedbackController } from './feedback/feedback.controller';
import { MessageRequests } from './messages/message-requests';
import { MessagesController } from './messages/messages.controller';
import { ModelsController } from './models.controller';
import { OldResponses } from './responses/old-responses.service';
import { ResponseRequests } from './responses/response-requests';
import { ResponsesController } from './responses/responses.controller';
import { StoredResponsesController } from './responses/stored-responses.controller';
import { StoredResponsesRepository } from './responses/stored-responses.repository';
import { StoredResponses } from './responses/stored-responses.service';
import { RouteController } from './route.controller';

@Module({
  imports: [CatalogModule, ExecutionModule, ScoringModule, SelectionModule],
  controllers: [
    ChatController,
    EmbeddingsController,
    FeedbackController,
    MessagesController,
    ModelsController,
    ResponsesController,
    RouteController,
    StoredResponsesController,
  ],
  providers: [
    CallableModels,
    ChatRequests,
    EmbeddingRequests,
    MessageRequests,
    OldResponses,
    ResponseRequests,
    StoredResponses,
    StoredResponsesRepository,
  ],
})
export class GatewayModule {}
