import { exchange } from '../exchange.js';
import type { Stage } from '../stage.js';
import { expectEqual, expectThat } from '../surprise.js';
import type { Transcript } from '../transcript.js';

interface Statistics {
  readonly arrivals: number;
  readonly mostInAnySecond: number;
  readonly signatures: { readonly verified: number; readonly rejected: number };
  readonly answers: Readonly<Record<string, number>>;
}

interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly rawBody: string;
}

const SHOWN_HEADERS = [
  'Host',
  'Content-Type',
  'X-TC-Action',
  'X-TC-Version',
  'X-TC-Region',
  'X-TC-Timestamp',
];

/** 1 stopped, 1 unknown, 20 of the 30. */
const SENT = 22;

export async function showWhatArrived(stage: Stage, transcript: Transcript): Promise<void> {
  transcript.chapter('What the cloud saw');
  const { statistics } = await ask<{ statistics: Statistics }>(stage, '/state');
  const { arrivals, mostInAnySecond, signatures, answers } = statistics;
  transcript.facts([
    [
      'calls that arrived',
      String(arrivals),
      'the repetition, the bad region and the ten refused calls never left the gateway',
    ],
    ['signatures verified', String(signatures.verified), 'by code that shares nothing with the signer'],
    ['signatures rejected', String(signatures.rejected)],
    ['most in any second', String(mostInAnySecond), 'wherever the second begins; 20 are allowed'],
    ...Object.entries(answers).map(([code, count]) => [`answered ${code}`, String(count)] as const),
  ]);
  expectEqual('calls that arrived', arrivals, SENT);
  expectEqual('signatures', signatures, { verified: SENT, rejected: 0 });
  expectThat('at most 20 arrived in any second', mostInAnySecond <= 20);
  expectEqual('answers', answers, {
    OK: 21,
    'InvalidParameter.TaskId': 1,
  });

  transcript.remark('The first of them as it arrived, without its signature:');
  const [first] = await ask<Arrival[]>(stage, '/arrivals');
  if (first) transcript.lines(asSent(first));
}

async function ask<T>({ control, over }: Stage, target: string): Promise<T> {
  return JSON.parse((await exchange('GET', control, target, { signal: over })).body) as T;
}

function asSent({ method, path, headers, rawBody }: Arrival): string[] {
  return [
    `${method} ${path}`,
    ...SHOWN_HEADERS.map((name) => `${name}: ${headers[name.toLowerCase()] ?? ''}`),
    '',
    rawBody,
  ];
}
