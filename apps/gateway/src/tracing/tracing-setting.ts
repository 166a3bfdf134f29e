/** Where traces go, and which. */
export interface TracingSetting {
  /** Takes OTLP over HTTP by POST. */
  readonly url: string;
  /** Sent with each export; they may hold a secret, and a function shows nothing when it is printed. */
  readonly headers: () => Record<string, string>;
  readonly protocol: 'http/protobuf' | 'http/json';
  /** What the traces are of, `service.name` among it. */
  readonly resource: Readonly<Record<string, string>>;
  readonly sampler: string;
  /** 0 to 1: the share of traces that a ratio sampler keeps. */
  readonly ratio: number;
}
