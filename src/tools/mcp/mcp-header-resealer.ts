import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { BackgroundTasks } from '../../observability/index';
import { McpServersRepository } from './mcp-servers.repository';

const BATCH = 100;

/** After the secret key was rotated: seals all headers anew, so that the previous key can be given up. */
@Injectable()
export class McpHeaderResealer implements OnApplicationBootstrap {
  constructor(
    private readonly servers: McpServersRepository,
    private readonly background: BackgroundTasks,
  ) {}

  onApplicationBootstrap(): void {
    this.background.run('mcp-header-reseal', async (signal) => {
      let lastId: string | undefined;
      do lastId = await this.servers.resealSome(BATCH, lastId);
      while (lastId !== undefined && !signal.aborted);
    });
  }
}
