import { once } from 'node:events';
import http from 'node:http';
import { listen } from './free-port.js';

export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** 1 is internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  /** Code 2 is an error. */
  readonly status: { readonly code?: number };
}

interface Export {
  readonly resourceSpans: {
    readonly resource: { readonly attributes: KeyValue[] };
    readonly scopeSpans: {
      readonly spans: (Omit<ReceivedSpan, 'attributes'> & { attributes: KeyValue[] })[];
    }[];
  }[];
}

interface KeyValue {
  readonly key: string;
  readonly value: Record<string, unknown>;
}

/** Takes spans over OTLP/HTTP, as a collector does. */
export class OtlpCollector {
  readonly #server: http.Server;
  #port = 0;
  /** All requests, with their raw bodies. */
  readonly requests: { path: string; headers: http.IncomingHttpHeaders; body: Buffer }[] = [];
  /** The status of its responses. */
  status = 200;

  private constructor() {
    this.#server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = Buffer.concat(chunks);
        this.requests.push({ path: request.url!, headers: request.headers, body });
        response.writeHead(this.status, { 'content-type': 'application/json' }).end('{}');
      });
    });
  }

  static async start(): Promise<OtlpCollector> {
    const collector = new OtlpCollector();
    collector.#port = await listen(collector.#server);
    return collector;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** The environment of a gateway that exports to this collector, as JSON. */
  get environment(): Record<string, string> {
    return { OTEL_EXPORTER_OTLP_ENDPOINT: this.url, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' };
  }

  /** All bodies. Headers are left out, because they contain the token for this collector. */
  get bodies(): string {
    return this.requests.map(({ body }) => body.toString('latin1')).join('\n');
  }

  get resource(): Record<string, unknown> {
    return toRecord(this.#exports()[0]!.resourceSpans[0]!.resource.attributes);
  }

  get spans(): ReceivedSpan[] {
    return this.#exports()
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans }) => spans.map((span) => ({ ...span, attributes: toRecord(span.attributes) })));
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #exports(): Export[] {
    return this.requests.map(({ body }) => JSON.parse(body.toString()) as Export);
  }
}

function toRecord(attributes: KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}
