import { Injectable, Logger, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import { BackgroundLoop } from '../../observability/index';
import { ToolHttp } from '../http/tool-http';
import { ComfyUiClient } from './comfyui.client';

const CHECK_MS = 30_000;
const NOT_SET = 'COMFYUI_URL is not set';
const NO_ANSWER = 'the ComfyUI at COMFYUI_URL does not answer';

/** The installation's ComfyUI, if it has one, and whether it is well: asked at the start and every 30 s. */
@Injectable()
export class ComfyUi implements OnModuleInit, OnApplicationShutdown {
  readonly checkpoint: string;
  readonly client?: ComfyUiClient;
  /** Why it cannot be used now. */
  unavailableReason?: string;
  private readonly logger = new Logger(ComfyUi.name);
  private readonly checks: BackgroundLoop;

  constructor({ vars }: AppConfig, http: ToolHttp) {
    this.checkpoint = vars.COMFYUI_CHECKPOINT;
    if (vars.COMFYUI_URL !== undefined) this.client = new ComfyUiClient(http.toInstalled, vars.COMFYUI_URL);
    this.unavailableReason = this.client ? NO_ANSWER : NOT_SET;
    this.checks = new BackgroundLoop('looking after ComfyUI', CHECK_MS, (signal) => this.check(signal));
  }

  /** The start does not wait for it. */
  onModuleInit(): void {
    if (!this.client) return;
    this.checks.start();
    this.checks.wake();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.checks.stop();
  }

  /** Asks now. Never rejects. */
  async refresh(): Promise<void> {
    if (this.client) await this.checks.runNow();
  }

  private async check(signal: AbortSignal): Promise<void> {
    try {
      await this.client?.checkHealth(signal);
      this.unavailableReason = undefined;
    } catch (error) {
      if (this.unavailableReason === undefined && !signal.aborted) this.logger.warn((error as Error).message);
      this.unavailableReason = NO_ANSWER;
    }
  }
}
