import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { StopResult } from '#libs/tencent-cloud';
import type { CallRecord } from '../call-record.js';
import { Coalesced } from '../metrics/coalesced.js';
import { KnownOutcomes } from './known-outcomes.js';
import { type Send, StopInFlight, type Take } from './stop-in-flight.js';

/** A task of the cloud's, by all that names it. */
export interface Task {
  readonly taskId: string;
  readonly sdkAppId: number;
  readonly region: string;
}

/**
 * Spends one call on one task: calls for the same task at the same time join, and a task that is known to have
 * ended needs none. Who may stop a task must be settled before.
 */
@Injectable()
export class OneCallPerTask implements OnApplicationShutdown {
  readonly #underWay = new Map<string, StopInFlight>();

  constructor(
    private readonly outcomes: KnownOutcomes,
    private readonly coalesced: Coalesced,
  ) {}

  /**
   * @param take asks for a slot
   * @param send makes the call
   * @param call is told how it came by its answer
   */
  async stop(task: Task, take: Take, send: Send, call: CallRecord): Promise<StopResult> {
    const name = nameOf(task);
    const requestId = this.outcomes.of(name);
    if (requestId !== undefined) {
      this.coalesced.count('remembered');
      call.coalesced = 'remembered';
      return { status: 'already-finished', requestId };
    }
    const underWay = this.#underWay.get(name);
    if (!underWay || underWay.unwanted) {
      const begun = this.#begin(name, send);
      call.course = begun.course;
      return begun.join(take);
    }
    this.coalesced.count('joined');
    call.coalesced = 'joined';
    call.course = underWay.course;
    return underWay.join(take);
  }

  /** Whether nothing is known of the task: neither its end nor a call that another one could join. */
  unheardOf(task: Task): boolean {
    const name = nameOf(task);
    return !this.#underWay.has(name) && this.outcomes.of(name) === undefined;
  }

  onApplicationShutdown(): void {
    this.outcomes.close();
  }

  #begin(task: string, send: Send): StopInFlight {
    const call: StopInFlight = new StopInFlight(async (firstSlot, course) => {
      try {
        const result = await send(firstSlot, course);
        this.outcomes.ended(task, result.requestId);
        return result;
      } finally {
        if (this.#underWay.get(task) === call) this.#underWay.delete(task);
      }
    });
    this.#underWay.set(task, call);
    return call;
  }
}

function nameOf({ sdkAppId, region, taskId }: Task): string {
  return `${sdkAppId}/${region}/${taskId}`;
}
