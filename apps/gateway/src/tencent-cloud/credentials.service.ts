import { Inject, Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import {
  type Credentials,
  type CredentialsProvider,
  FileCredentialsProvider,
  StaticCredentialsProvider,
  CredentialsUnavailableError,
  instanceRoleProvider,
  webIdentityProvider,
} from '#libs/tencent-cloud';
import type { TencentCloudConfig } from '../config/configuration.js';
import { tencentCloudConfig } from '../config/namespaces.js';
import { readRegularFile } from '../files/read-regular-file.js';
import { watchFiles } from '../files/watch-files.js';
import { systemClock as clock } from '../time/system-clock.js';
import { CredentialsMetrics } from './credentials-metrics.js';

/** The injection token of the origin of the instance metadata service. */
export const METADATA_SERVICE = Symbol('origin of the instance metadata service');

/** The injection token of the CA certificates for upstream connections, PEM; undefined: the certificates of the system. */
export const TRUSTED_CERTIFICATES = Symbol('trusted certificates');

/** The credentials that sign upstream calls. */
@Injectable()
export class CredentialsService implements OnModuleInit, OnModuleDestroy {
  readonly #provider: CredentialsProvider;

  constructor(
    @Inject(tencentCloudConfig.KEY) config: TencentCloudConfig,
    metrics: CredentialsMetrics,
    @Inject(METADATA_SERVICE) metadataService: URL,
    @Inject(TRUSTED_CERTIFICATES) ca: string | undefined,
  ) {
    this.#provider = createProvider(config, metrics, metadataService, ca);
  }

  async onModuleInit(): Promise<void> {
    await this.#provider.start();
  }

  onModuleDestroy(): void {
    this.#provider.stop();
  }

  /** Whether calls can be signed now. */
  get isAvailable(): boolean {
    try {
      this.#provider.getCredentials();
      return true;
    } catch (error) {
      if (error instanceof CredentialsUnavailableError) return false;
      throw error;
    }
  }

  /** @throws CredentialsUnavailableError */
  getCredentials(): Credentials {
    return this.#provider.getCredentials();
  }

  /** Loads the credentials again. Resolves after one try, even if it fails. */
  renewCredentials(): Promise<void> {
    return this.#provider.renew();
  }
}

function createProvider(
  { credentials: config, proxy }: TencentCloudConfig,
  observer: CredentialsMetrics,
  endpoint: URL,
  ca: string | undefined,
): CredentialsProvider {
  if (config.source === 'environment') return new StaticCredentialsProvider(config.credentials, observer);
  if (config.source === 'files')
    return new FileCredentialsProvider({
      sources: config.sources,
      watch: watchFiles,
      read: readRegularFile,
      clock,
      observer,
    });
  if (config.source === 'pod-identity')
    return webIdentityProvider({ ...config, proxy, ca, read: readRegularFile, clock, observer });
  return instanceRoleProvider({ role: config.role, clock, observer, endpoint });
}
