import type { OnModuleDestroy, OnModuleInit } from '@nestjs/common';
import {
  type Credentials,
  type CredentialsObserver,
  type CredentialsSource,
  FileCredentials,
  GivenCredentials,
  InstanceRole,
  NoCredentials,
} from '#libs/tencent-cloud';
import { followFiles } from '../files/follow-files.js';
import { systemClock } from '../system-clock.js';
import type { CredentialsSetting } from './credentials-setting.js';

/** The credentials that the gateway signs with, wherever they come from. */
export class CloudCredentials implements OnModuleInit, OnModuleDestroy {
  readonly #source: CredentialsSource;

  /** @param metadataService instead of the cloud's own */
  constructor(setting: CredentialsSetting, observer: CredentialsObserver, metadataService?: URL) {
    this.#source = sourceOf(setting, observer, metadataService);
  }

  async onModuleInit(): Promise<void> {
    await this.#source.start();
  }

  onModuleDestroy(): void {
    this.#source.stop();
  }

  /** Whether calls can be signed now. */
  get available(): boolean {
    try {
      this.#source.current();
      return true;
    } catch (error) {
      if (error instanceof NoCredentials) return false;
      throw error;
    }
  }

  /** @throws NoCredentials */
  current(): Credentials {
    return this.#source.current();
  }
}

function sourceOf(
  setting: CredentialsSetting,
  observer: CredentialsObserver,
  metadataService: URL | undefined,
): CredentialsSource {
  const clock = systemClock;
  if (setting.from === 'environment') return new GivenCredentials(setting.credentials, observer);
  if (setting.from === 'files')
    return new FileCredentials({ parts: setting.parts, follow: followFiles, clock, observer });
  const service = metadataService && { service: metadataService };
  return new InstanceRole({ role: setting.role, clock, observer, ...service });
}
