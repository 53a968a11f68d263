import { Injectable } from '@nestjs/common';
import { AppConfig } from '../../config/index';
import type { CredentialSecret } from './credential-secret';

const PURPOSE = 'provider-credential/v1';

/** Whose a sealed secret is. It opens for nothing else. */
export interface SealedFor {
  readonly id: string;
  readonly userId: string;
  readonly provider: string;
}

/** Seals credentials of owners (AES-256-GCM) with a key derived from the installation's secret key. */
@Injectable()
export class CredentialSecrets {
  constructor(private readonly config: AppConfig) {}

  seal(bound: SealedFor, secret: CredentialSecret): Buffer {
    return this.config.keys.seal(PURPOSE, boundTo(bound), Buffer.from(JSON.stringify(secret)));
  }

  /** Undefined when it was altered, belongs to something else, or the secret key it was sealed with is gone. */
  open(bound: SealedFor, sealed: Buffer): CredentialSecret | undefined {
    const plain = this.config.keys.open(PURPOSE, boundTo(bound), sealed);
    return plain && (JSON.parse(plain.toString('utf8')) as CredentialSecret);
  }

  /** How everything begins that is sealed with the current secret key. */
  get currentHead(): Buffer {
    return Buffer.from(this.config.keys.current(PURPOSE).id, 'hex');
  }
}

function boundTo({ userId, provider, id }: SealedFor): string {
  return `${userId}\0${provider}\0${id}`;
}
