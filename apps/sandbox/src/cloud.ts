import { setTimeout as sleep } from 'node:timers/promises';
import { checkAction, STOP_STREAM_INGEST } from './action.js';
import { AnySecondCounter } from './any-second-counter.js';
import { Arrivals, redacted, type Arrival } from './arrivals.js';
import { authenticate } from './authentication.js';
import { answerOf, failure, success, type CloudAnswer } from './cloud-answer.js';
import { MAX_BODY_BYTES, type CloudRequest } from './cloud-request.js';
import type { SandboxCredentials } from './credentials.js';
import { strikesUnseen, type FaultRule, type Faults, type WireFault } from './faults.js';
import { Refusal } from './refusal.js';
import type { Settings } from './settings.js';
import { Tally, type Statistics } from './statistics.js';
import { jsonObject, stopStreamIngest } from './stop-stream-ingest.js';
import type { Tasks } from './tasks.js';

/** What the cloud consists of and what it goes by. */
export interface CloudParts {
  readonly credentials: readonly SandboxCredentials[];
  readonly sdkAppIds: readonly number[];
  readonly settings: Settings;
  readonly tasks: Tasks;
  readonly faults: Faults;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  /** Milliseconds that never go back. */
  readonly monotonic: () => number;
  /** Ends the waits of `slow`. */
  readonly closing: AbortSignal;
}

/** What goes back, and what is to go wrong on the way. */
export interface Outcome {
  /** Nothing for a path or method that only the edge answers. */
  readonly answer?: CloudAnswer;
  readonly fault?: WireFault;
}

/** The connection that brought a request. */
export interface Via {
  readonly number: number;
  readonly tls: boolean;
}

/** Decides on each request in the order of its arrival. Knows no sockets. */
export class Cloud {
  readonly arrivals = new Arrivals();
  readonly #tally = new Tally();
  readonly #second = new AnySecondCounter();

  constructor(private readonly parts: CloudParts) {}

  get statistics(): Statistics {
    return this.#tally.statistics(this.#second.most);
  }

  async arrive(request: CloudRequest, via: Via): Promise<Outcome> {
    const arrival = this.#record(request, via);
    const outcome = await this.#decide(request, arrival);
    arrival.answerCode = codeOf(outcome);
    this.#tally.answered(arrival.answerCode);
    return outcome;
  }

  async #decide(request: CloudRequest, arrival: Arrival): Promise<Outcome> {
    if (request.method !== 'POST' || request.target !== '/') return {};

    let inThisSecond = 0;
    if (arrival.action === STOP_STREAM_INGEST) {
      this.#tally.arrivals += 1;
      inThisSecond = this.#second.count(arrival.at);
    }
    const admission = answerOf(() => {
      this.#admit(request, inThisSecond);
    });
    const admitted = admission.code === 'OK';
    const rule = this.parts.faults.take(arrival.taskId, (fault) => admitted || strikesUnseen(fault));

    if (!rule) return { answer: admitted ? this.#stop(request) : admission };
    return this.#withFault(rule, admitted, request);
  }

  #admit(request: CloudRequest, inThisSecond: number): void {
    if (request.body.length > MAX_BODY_BYTES) {
      throw new Refusal('RequestSizeLimitExceeded', 'The request is larger than 10 MB.');
    }
    try {
      authenticate(request, this.parts.credentials, this.parts.now());
      this.#tally.verified += 1;
    } catch (error) {
      this.#tally.rejected += 1;
      throw error;
    }
    checkAction(request);
    const limit = this.parts.settings.quotaPerSecond;
    if (inThisSecond > limit) {
      throw new Refusal(
        'RequestLimitExceeded',
        `Your current request times equals to \`${inThisSecond}\` in a second, which exceeds the frequency limit \`${limit}\` for a second. Please reduce the frequency of calls.`,
      );
    }
  }

  #stop(request: CloudRequest): CloudAnswer {
    const { sdkAppIds, tasks, settings } = this.parts;
    return answerOf(() => {
      stopStreamIngest(request.body, tasks, { sdkAppIds, autoTasks: settings.autoTasks });
    });
  }

  async #withFault(rule: FaultRule, admitted: boolean, request: CloudRequest): Promise<Outcome> {
    const { fault, effect = 'before' } = rule;
    const stopsFirst = admitted && (effect === 'after' || fault.kind === 'drip');
    const answer = stopsFirst ? this.#stop(request) : undefined;

    switch (fault.kind) {
      case 'error':
        return { answer: failure(fault.code, fault.message ?? `An error has occurred: ${fault.code}.`) };
      case 'slow':
        await sleep(fault.ms, undefined, { signal: this.parts.closing });
        return { answer: answer ?? this.#stop(request) };
      default:
        // A broken answer needs some text to break off in.
        return { answer: answer ?? success(), fault };
    }
  }

  #record(request: CloudRequest, via: Via): Arrival {
    const { method, target, headers, body } = request;
    const parameters = jsonObject(body);
    const arrival: Arrival = {
      at: this.parts.monotonic(),
      time: new Date(this.parts.now()).toISOString(),
      method,
      path: target,
      headers: redacted(headers),
      rawBody: body.toString('utf8'),
      action: headers['x-tc-action'],
      region: headers['x-tc-region'],
      sdkAppId: parameters?.['SdkAppId'],
      taskId: parameters?.['TaskId'],
      connection: via.number,
      tls: via.tls,
    };
    this.arrivals.add(arrival);
    return arrival;
  }
}

function codeOf({ answer, fault }: Outcome): string {
  if (fault) return `fault-${fault.kind}`;
  return answer?.code ?? 'http-404';
}
