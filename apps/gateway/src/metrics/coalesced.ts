import { Injectable } from '@nestjs/common';
import { Counter, Registry } from 'prom-client';

/** `joined` a call that was under way, or was answered from what is `remembered`. */
export type How = 'joined' | 'remembered';

/** Calls to stop a task that needed no call to the cloud of their own. */
@Injectable()
export class Coalesced {
  readonly #total: Counter<'how'>;

  constructor(registry: Registry) {
    this.#total = new Counter({
      name: 'stops_coalesced_total',
      help: 'Calls to stop a task that needed no call to the cloud of their own: joined, or remembered.',
      labelNames: ['how'],
      registers: [registry],
    });
    for (const how of ['joined', 'remembered']) this.#total.inc({ how }, 0);
  }

  count(how: How): void {
    this.#total.inc({ how });
  }
}
