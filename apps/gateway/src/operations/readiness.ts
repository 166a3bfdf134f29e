import { type BeforeApplicationShutdown, Injectable, type OnApplicationBootstrap } from '@nestjs/common';

/** Whether this process is able to take traffic: not while starting, not while draining. */
@Injectable()
export class Readiness implements OnApplicationBootstrap, BeforeApplicationShutdown {
  #ready = false;

  get ready(): boolean {
    return this.#ready;
  }

  onApplicationBootstrap(): void {
    this.#ready = true;
  }

  beforeApplicationShutdown(): void {
    this.#ready = false;
  }
}
