import { PassThrough } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import type { Exchange } from './exchange.js';
import { Transcript } from './transcript.js';

const REFUSED: Exchange = {
  method: 'DELETE',
  target: '/ingest-tasks/demo-1',
  status: 429,
  reason: 'Too Many Requests',
  headers: new Headers({ 'retry-after': '2', 'x-unasked': 'for' }),
  body: '{"code":"quota-exhausted"}',
  tookMs: 3.4,
};

/** What is written where no terminal reads. */
function printed(print: (transcript: Transcript) => void): string {
  const out = new PassThrough();
  print(new Transcript(out as unknown as NodeJS.WriteStream));
  return String(out.read());
}

describe('the transcript', () => {
  it('shows an exchange with the headers that matter and its JSON set out', () => {
    expect(printed((transcript) => transcript.exchange(REFUSED))).toBe(`   → DELETE /ingest-tasks/demo-1
   ← 429 Too Many Requests  (3 ms)
     Retry-After: 2
     {
       "code": "quota-exhausted"
     }

`);
  });

  it('numbers its chapters', () => {
    const text = printed((transcript) => {
      transcript.chapter('Stop a task');
      transcript.chapter('Stop it again');
    });
    expect(text).toContain('1. Stop a task');
    expect(text).toContain('2. Stop it again');
  });

  it('keeps its remarks to lines that fit a terminal', () => {
    const text = printed((transcript) => transcript.remark('word '.repeat(60).trim()));
    const longest = Math.max(...text.split('\n').map(({ length }) => length));
    expect(longest).toBeGreaterThan(80);
    expect(longest).toBeLessThan(100);
  });
});
