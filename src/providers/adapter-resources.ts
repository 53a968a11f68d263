import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { OutboundClient } from '../common/index';
import { AppConfig } from '../config/index';
import type { AiSdkShared } from './adapters/ai-sdk/ai-sdk.adapter';
import type { ImageLoader } from './adapters/images/image-loader';
import type { KeptThoughts } from './adapters/ai-sdk/kept-thoughts';
import { KeptThoughtsRepository } from './kept-thoughts.repository';

type ImageLoading = typeof import('./adapters/images/image-loader.js');
type ThoughtKeeping = typeof import('./adapters/ai-sdk/kept-thoughts.js');

/** What all adapters of the installation share, made when the first of them is. */
@Injectable()
export class AdapterResources implements AiSdkShared, OnApplicationShutdown {
  private loader?: ImageLoader;
  private kept?: KeptThoughts;

  constructor(
    private readonly config: AppConfig,
    private readonly store: KeptThoughtsRepository,
  ) {}

  /** Users may name any public address, and those that the administrator allows. */
  get images(): ImageLoader {
    const { ImageLoader } = require('./adapters/images/image-loader') as ImageLoading;
    const { outboundAllowedHosts: allowedHosts } = this.config;
    return (this.loader ??= new ImageLoader(new OutboundClient({ allowedHosts, isHttpAllowed: true })));
  }

  get thoughts(): KeptThoughts {
    const { KeptThoughts } = require('./adapters/ai-sdk/kept-thoughts') as ThoughtKeeping;
    return (this.kept ??= new KeptThoughts(this.store));
  }

  async onApplicationShutdown(): Promise<void> {
    await this.loader?.close();
  }
}
