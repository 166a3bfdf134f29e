import { styleText } from 'node:util';
import type { Exchange } from './exchange.js';

type Style = Parameters<typeof styleText>[0];

const SHOWN_HEADERS = [
  'Content-Type',
  'Retry-After',
  'RateLimit-Policy',
  'RateLimit',
  'X-Request-Id',
] as const;

/** Prints for a person: in colour on a terminal, unless NO_COLOR says otherwise, and plainly anywhere else. */
export class Transcript {
  #chapters = 0;

  constructor(readonly out: NodeJS.WriteStream) {}

  title(text: string): void {
    this.#line();
    this.#line(this.#styled('bold', text));
    this.#line();
  }

  chapter(text: string): void {
    this.#chapters += 1;
    this.#line(this.#styled(['bold', 'cyan'], `${this.#chapters}. ${text}`));
    this.#line();
  }

  /** What to make of it, in a sentence. */
  remark(text: string): void {
    for (const line of wrapped(text, 96)) this.#line(`   ${line}`);
    this.#line();
  }

  facts(facts: readonly (readonly [name: string, value: string, note?: string])[]): void {
    const width = Math.max(...facts.map(([name]) => name.length));
    const valueWidth = Math.max(...facts.map(([, value]) => value.length));
    for (const [name, value, note] of facts)
      this.#line(
        `   ${name.padEnd(width)}  ${note ? `${value.padEnd(valueWidth)}  ${this.#styled('dim', note)}` : value}`,
      );
    this.#line();
  }

  lines(lines: readonly string[]): void {
    for (const line of lines) this.#line(`   ${line}`);
    this.#line();
  }

  exchange(exchange: Exchange): void {
    this.request(`${exchange.method} ${exchange.target}`);
    this.answer(exchange);
  }

  request(line: string): void {
    this.#line(`   ${this.#styled('bold', `→ ${line}`)}`);
  }

  answer({ status, reason, headers, body, tookMs }: Exchange): void {
    const colour: Style = status < 300 ? 'green' : status < 500 ? 'yellow' : 'red';
    const took = this.#styled('dim', `(${Math.round(tookMs)} ms)`);
    this.#line(`   ${this.#styled(['bold', colour], `← ${status} ${reason}`)}  ${took}`);
    for (const name of SHOWN_HEADERS) {
      const value = headers.get(name);
      if (value !== null) this.#line(this.#styled('dim', `     ${name}: ${value}`));
    }
    for (const line of pretty(body).split('\n')) this.#line(`     ${line}`);
    this.#line();
  }

  success(text: string): void {
    this.#line(this.#styled('green', `✓ ${text}`));
    this.#line();
  }

  failure(text: string): void {
    this.#line(this.#styled('red', `✗ ${text}`));
  }

  #styled(style: Style, text: string): string {
    return styleText(style, text, { stream: this.out });
  }

  #line(text = ''): void {
    this.out.write(`${text}\n`);
  }
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function wrapped(text: string, width: number): string[] {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1)!;
    if (line && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines;
}
