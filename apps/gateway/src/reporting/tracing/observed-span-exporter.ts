import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

type Callback = Parameters<SpanExporter['export']>[1];

/** Reports the result of each export. The reason contains nothing of the request or the response. */
export class ObservedSpanExporter implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly onExport: (failure: string | undefined) => void,
  ) {}

  export(spans: ReadableSpan[], done: Callback): void {
    this.exporter.export(spans, (result) => {
      this.onExport(result.error ? reasonOf(result.error) : undefined);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.exporter.shutdown();
  }
}

function reasonOf(error: Error & { code?: string | number }): string {
  const code = error.code;
  if (typeof code === 'number') return `HTTP ${code}`;
  return code ?? 'no response, or a temporary rejection';
}
