import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/index';

const PURPOSE = 'webhook-secret/v1';
const PREFIX = 'whsec_';
const SECRET_BYTES = 32;

/** Secrets of webhooks: they sign, so they are sealed and not hashed. A sealed one opens for its own webhook only. */
@Injectable()
export class WebhookSecrets {
  constructor(private readonly config: AppConfig) {}

  create(): string {
    return PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  }

  seal(webhookId: string, secret: string): Buffer {
    return this.config.keys.seal(PURPOSE, webhookId, Buffer.from(secret));
  }

  /** Undefined when the installation's secret key it was sealed with is gone. */
  open(webhookId: string, sealed: Buffer): string | undefined {
    return this.config.keys.open(PURPOSE, webhookId, sealed)?.toString('utf8');
  }
}
