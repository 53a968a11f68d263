import { Module } from '@nestjs/common';
import { CatalogModule } from '../catalog/index';
import { ExecutionModule } from '../execution/index';
import { SelectionModule } from '../selection/index';
import { CallableModels } from './callable-models';
import { ChatController } from './chat.controller';
import { ChatRequests } from './chat-requests';
import { MessageRequests } from './messages/message-requests';
import { MessagesController } from './messages/messages.controller';
import { ModelsController } from './models.controller';
import { RouteController } from './route.controller';

@Module({
  imports: [CatalogModule, ExecutionModule, SelectionModule],
  controllers: [ChatController, MessagesController, ModelsController, RouteController],
  providers: [CallableModels, ChatRequests, MessageRequests],
})
export class GatewayModule {}
