import { readFile } from 'node:fs/promises';
import { Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { PinoLogger } from 'nestjs-pino';
import { InjectConfiguration } from '../config/configuration.provider.js';
import type { Configuration } from '../config/configuration.js';
import { followFiles } from '../files/follow-files.js';
import { CallersFile } from '../metrics/callers-file.js';
import { Stops } from '../metrics/stops.js';
import { ANONYMOUS, type Caller, UNKNOWN } from './caller.js';
import { type CallerEntry, KeyRing } from './key-ring.js';
import type { LoadedCallersFile } from './loaded-callers-file.js';
import { InvalidCallers, readCallers } from './read-callers.js';

/** A file that cannot be used is read again after this: it is counted, and logged, for as long as that lasts. */
const AGAIN_MS = 60_000;

/** Who may call at this moment: the callers of CALLERS_FILE as it stands, or everybody as `anonymous`. */
@Injectable()
export class Callers implements OnApplicationBootstrap, OnModuleDestroy {
  readonly #file: LoadedCallersFile | undefined;
  #text = '';
  #ring: KeyRing | undefined;
  #unfollow: (() => void) | undefined;
  #again: NodeJS.Timeout | undefined;
  #reload: Promise<void> = Promise.resolve();

  constructor(
    @InjectConfiguration() { callersFile }: Configuration,
    private readonly stops: Stops,
    private readonly metrics: CallersFile,
    private readonly logger: PinoLogger,
  ) {
    this.#file = callersFile;
    if (callersFile) {
      this.#use(callersFile.content, callersFile.entries);
      metrics.loaded();
    } else this.stops.expectFrom([ANONYMOUS.name]);
  }

  onApplicationBootstrap(): void {
    if (!this.#file) return;
    const { path, fingerprint } = this.#file;
    this.#unfollow = followFiles([path], () => this.#rereadNext(path), fingerprint);
  }

  onModuleDestroy(): void {
    this.#unfollow?.();
    this.#unfollow = undefined;
    clearTimeout(this.#again);
  }

  /** Names of those who may call; undefined when no keys are asked for. */
  get names(): readonly string[] | undefined {
    return this.#ring?.names;
  }

  /** The caller whose key this is; `anonymous` for any key, or none, when no keys are asked for. */
  find(key: string | undefined): Caller | undefined {
    if (!this.#ring) return ANONYMOUS;
    return key === undefined ? undefined : this.#ring.find(key);
  }

  #use(text: string, entries: readonly CallerEntry[]): void {
    const ring = new KeyRing(entries);
    this.#ring = ring;
    this.#text = text;
    this.stops.expectFrom([...ring.names, UNKNOWN]);
  }

  /** One after the other, so that an older reading never replaces a newer one. */
  #rereadNext(file: string): void {
    this.#reload = this.#reload.then(() => this.#reread(file));
  }

  async #reread(file: string): Promise<void> {
    clearTimeout(this.#again);
    try {
      const text = await readFile(file, 'utf8');
      if (text === this.#text) return;
      this.#use(text, readCallers(text));
      this.metrics.loaded();
      this.logger.info({ event: 'callers-loaded', callers: this.names?.length }, 'CALLERS_FILE read anew');
    } catch (error) {
      this.metrics.failed();
      this.logger.error(
        { event: 'callers-not-loaded', faults: faultsOf(error) },
        'CALLERS_FILE has changed and cannot be used: the callers stay as they were',
      );
      if (this.#unfollow) this.#again = setTimeout(() => this.#rereadNext(file), AGAIN_MS).unref();
    }
  }
}

function faultsOf(error: unknown): readonly string[] {
  if (error instanceof InvalidCallers) return error.faults;
  return [(error as NodeJS.ErrnoException).code ?? 'cannot be read'];
}
