import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';

type Callback = Parameters<SpanExporter['export']>[1];

/** Tells how each export ended, in words that show nothing of what was sent, or of what came back. */
export class ReportingExporter implements SpanExporter {
  constructor(
    private readonly exporter: SpanExporter,
    private readonly ended: (failure: string | undefined) => void,
  ) {}

  export(spans: ReadableSpan[], done: Callback): void {
    this.exporter.export(spans, (result) => {
      this.ended(result.error ? reasonOf(result.error) : undefined);
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
  return code ?? 'no answer, or a refusal for now';
}
