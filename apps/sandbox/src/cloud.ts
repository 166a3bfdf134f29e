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

export interface CloudOptions {
  readonly credentials: readonly SandboxCredentials[];
  readonly sdkAppIds: readonly number[];
  readonly settings: Settings;
  readonly tasks: Tasks;
  readonly faults: Faults;
  /** Wall clock, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Monotonic clock, in milliseconds. */
  readonly monotonic: () => number;
  /** Ends pending `slow` faults. */
  readonly closing: AbortSignal;
  /** Returns the signal that ends the delays of pending `slow` faults. */
  readonly releasing: () => AbortSignal;
}

/** The response, and the fault to inject while sending it. */
export interface Outcome {
  /** Undefined for a path or method to which only the edge proxy responds. */
  readonly response?: CloudResponse;
  readonly fault?: ConnectionFault;
}

/** The connection of a request, without its sockets. */
export interface ConnectionInfo {
  readonly number: number;
  readonly tls: boolean;
}

/** Decides about each request, in the order of receipt. Independent of sockets. */
export class Cloud {
  readonly receivedRequests = new ReceivedRequests();
  readonly #counters = new Counters();
  readonly #stopRate = new SlidingWindowCounter();

  constructor(private readonly options: CloudOptions) {}

  get statistics(): Statistics {
    return this.#counters.statistics(this.#stopRate.peak);
  }

  async handle(request: CloudRequest, connection: ConnectionInfo): Promise<Outcome> {
    const received = this.#record(request, connection);
    const outcome = await this.#decide(request, received);
    received.responseCode = codeOf(outcome);
    this.#counters.countResponse(received.responseCode);
    return outcome;
  }

  async #decide(request: CloudRequest, received: ReceivedRequest): Promise<Outcome> {
    if (request.method !== 'POST' || request.target !== '/') return {};

    let callsInLastSecond = 0;
    if (received.action === STOP_STREAM_INGEST) {
      this.#counters.stopCalls += 1;
      callsInLastSecond = this.#stopRate.record(received.receivedAtMs);
    }
    const checked = toResponse(() => this.#check(request, callsInLastSecond));
    const isAccepted = checked.code === 'OK';
    const rule = this.options.faults.next(
      received.taskId,
      (fault) => isAccepted || bypassesAuthentication(fault),
    );

    if (!rule) return { response: isAccepted ? this.#stop(request) : checked };
    return this.#withFault(rule, isAccepted, request);
  }

  #check(request: CloudRequest, callsInLastSecond: number): void {
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
    if (callsInLastSecond > limit) {
      throw new ApiError(
        'RequestLimitExceeded',
        `Your current request times equals to \`${callsInLastSecond}\` in a second, which exceeds the frequency limit \`${limit}\` for a second. Please reduce the frequency of calls.`,
      );
    }
  }

  #stop(request: CloudRequest): CloudResponse {
    const { sdkAppIds, tasks, settings } = this.options;
    return toResponse(() =>
      stopStreamIngest(request.body, tasks, { sdkAppIds, acceptUnknownTasks: settings.acceptUnknownTasks }),
    );
  }

  async #withFault(rule: FaultRule, isAccepted: boolean, request: CloudRequest): Promise<Outcome> {
    const { fault, effect = 'before' } = rule;
    const takesEffectFirst = isAccepted && (effect === 'after' || fault.kind === 'trickle');
    const response = takesEffectFirst ? this.#stop(request) : undefined;

    switch (fault.kind) {
      case 'error':
        return {
          response: errorResponse(fault.code, fault.message ?? `An error has occurred: ${fault.code}.`),
        };
      case 'slow':
        await this.#delay(fault.ms);
        return { response: response ?? this.#stop(request) };
      default:
        // Faults that cut a response need a response to cut.
        return { response: response ?? successResponse(), fault };
    }
  }

  async #delay(ms: number): Promise<void> {
    const { closing, releasing } = this.options;
    const released = releasing();
    try {
      await sleep(ms, undefined, { signal: AbortSignal.any([closing, released]) });
    } catch (error) {
      if (!released.aborted) throw error;
    }
  }

  #record(request: CloudRequest, connection: ConnectionInfo): ReceivedRequest {
    const { method, target, headers, body } = request;
    const parameters = parseJsonObject(body);
    const received: ReceivedRequest = {
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
    this.receivedRequests.add(received);
    return received;
  }
}

function codeOf({ response, fault }: Outcome): string {
  if (fault) return `fault-${fault.kind}`;
  return response?.code ?? 'http-404';
}
