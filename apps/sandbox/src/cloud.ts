import { setTimeout as sleep } from 'node:timers/promises';
import { checkAction, STOP_STREAM_INGEST } from './action.js';
import { SlidingWindowCounter } from './sliding-window-counter.js';
import { ReceivedRequests, redactSignature, type ReceivedRequest } from './received-requests.js';
import { authenticate } from './authentication.js';
import { toResponse, errorResponse, successResponse, type CloudResponse } from './cloud-response.js';
import { MAX_BODY_BYTES, type CloudRequest } from './cloud-request.js';
import type { SandboxCredentials } from './credentials.js';
import { bypassesAuthentication, type FaultRule, type Faults, type ConnectionFault } from './faults.js';
import { ApiError } from './api-error.js';
import type { Settings } from './settings.js';
import { Counters, type Statistics } from './statistics.js';
import { parseJsonObject, stopStreamIngest } from './stop-stream-ingest.js';
import type { Tasks } from './tasks.js';

/** What the cloud consists of and what it goes by. */
export interface CloudOptions {
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
  readonly response?: CloudResponse;
  readonly fault?: ConnectionFault;
}

/** The connection that brought a request. */
export interface ConnectionInfo {
  readonly number: number;
  readonly tls: boolean;
}

/** Decides on each request in the order of its arrival. Knows no sockets. */
export class Cloud {
  readonly receivedRequests = new ReceivedRequests();
  readonly #counters = new Counters();
  readonly #stopRate = new SlidingWindowCounter();

  constructor(private readonly options: CloudOptions) {}

  get statistics(): Statistics {
    return this.#counters.statistics(this.#stopRate.peak);
  }

  async handle(request: CloudRequest, via: ConnectionInfo): Promise<Outcome> {
    const arrival = this.#record(request, via);
    const outcome = await this.#decide(request, arrival);
    arrival.responseCode = codeOf(outcome);
    this.#counters.countResponse(arrival.responseCode);
    return outcome;
  }

  async #decide(request: CloudRequest, arrival: ReceivedRequest): Promise<Outcome> {
    if (request.method !== 'POST' || request.target !== '/') return {};

    let callsInLastSecond = 0;
    if (arrival.action === STOP_STREAM_INGEST) {
      this.#counters.stopCalls += 1;
      callsInLastSecond = this.#stopRate.record(arrival.receivedAtMs);
    }
    const checked = toResponse(() => {
      this.#check(request, callsInLastSecond);
    });
    const isAccepted = checked.code === 'OK';
    const rule = this.options.faults.next(
      arrival.taskId,
      (fault) => isAccepted || bypassesAuthentication(fault),
    );

    if (!rule) return { response: isAccepted ? this.#stop(request) : checked };
    return this.#withFault(rule, isAccepted, request);
  }

  #check(request: CloudRequest, inThisSecond: number): void {
    if (request.body.length > MAX_BODY_BYTES) {
      throw new ApiError('RequestSizeLimitExceeded', 'The request is larger than 10 MB.');
    }
    try {
      authenticate(request, this.options.credentials, this.options.now());
      this.#counters.verified += 1;
    } catch (error) {
      this.#counters.rejected += 1;
      throw error;
    }
    checkAction(request);
    const limit = this.options.settings.quotaPerSecond;
    if (inThisSecond > limit) {
      throw new ApiError(
        'RequestLimitExceeded',
        `Your current request times equals to \`${inThisSecond}\` in a second, which exceeds the frequency limit \`${limit}\` for a second. Please reduce the frequency of calls.`,
      );
    }
  }

  #stop(request: CloudRequest): CloudResponse {
    const { sdkAppIds, tasks, settings } = this.options;
    return toResponse(() => {
      stopStreamIngest(request.body, tasks, { sdkAppIds, acceptUnknownTasks: settings.acceptUnknownTasks });
    });
  }

  async #withFault(rule: FaultRule, admitted: boolean, request: CloudRequest): Promise<Outcome> {
    const { fault, effect = 'before' } = rule;
    const takesEffectFirst = admitted && (effect === 'after' || fault.kind === 'trickle');
    const answer = takesEffectFirst ? this.#stop(request) : undefined;

    switch (fault.kind) {
      case 'error':
        return {
          response: errorResponse(fault.code, fault.message ?? `An error has occurred: ${fault.code}.`),
        };
      case 'slow':
        await sleep(fault.ms, undefined, { signal: this.options.closing });
        return { response: answer ?? this.#stop(request) };
      default:
        // A broken answer needs some text to break off in.
        return { response: answer ?? successResponse(), fault };
    }
  }

  #record(request: CloudRequest, connection: ConnectionInfo): ReceivedRequest {
    const { method, target, headers, body } = request;
    const parameters = parseJsonObject(body);
    const arrival: ReceivedRequest = {
      receivedAtMs: this.options.monotonic(),
      time: new Date(this.options.now()).toISOString(),
      method,
      path: target,
      headers: redactSignature(headers),
      rawBody: body.toString('utf8'),
      action: headers['x-tc-action'],
      region: headers['x-tc-region'],
      sdkAppId: parameters?.['SdkAppId'],
      taskId: parameters?.['TaskId'],
      connection: connection.number,
      tls: connection.tls,
    };
    this.receivedRequests.add(arrival);
    return arrival;
  }
}

function codeOf({ response: answer, fault }: Outcome): string {
  if (fault) return `fault-${fault.kind}`;
  return answer?.code ?? 'http-404';
}
