import { CALLER_NAME_RULE, isCallerName } from './caller-name.js';
import type { CallerEntry } from './key-ring.js';

const SHA256 = /^[0-9a-f]{64}$/i;

/** The list of callers cannot be used as it is. */
export class InvalidCallers extends Error {
  override readonly name = 'InvalidCallers';

  /** @param faults one phrase each; they name entries and never show a key or its digest */
  constructor(readonly faults: readonly string[]) {
    super(faults.join('; '));
  }
}

/**
 * Reads a list of callers: `[{ "name": "room-service", "keySha256": "<hex>", "sdkAppIds": [1400000001] }]`.
 *
 * Two entries may share a name: then the caller has two keys, so that one can follow the other.
 *
 * @throws InvalidCallers that lists every fault
 */
export function readCallers(text: string): CallerEntry[] {
  const list = listIn(text);
  const faults = [...list.flatMap(faultsOf), ...repeatedKeys(list)];
  if (faults.length > 0) throw new InvalidCallers(faults);
  return (list as Written[]).map(({ name, keySha256, sdkAppIds }) => ({
    name,
    keySha256,
    sdkAppIds: sdkAppIds && new Set(sdkAppIds),
  }));
}

/** An entry in order, as the file has it. */
interface Written {
  readonly name: string;
  readonly keySha256: string;
  readonly sdkAppIds?: number[];
}

function listIn(text: string): unknown[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    // The parser's own message shows a piece of the file.
    throw new InvalidCallers(['is not JSON']);
  }
  if (!Array.isArray(list)) throw new InvalidCallers(['is not a JSON list']);
  if (list.length === 0) throw new InvalidCallers(['lists no caller']);
  return list;
}

function faultsOf(entry: unknown, at: number): string[] {
  if (!isObject(entry)) return [`entry ${at + 1} is not an object`];
  const { name, keySha256, sdkAppIds, ...others } = entry;
  const faults = [];
  if (!isCallerName(name)) faults.push(`name must be ${CALLER_NAME_RULE}`);
  if (!isSha256(keySha256)) faults.push('keySha256 must be 64 hexadecimal digits');
  if (sdkAppIds !== undefined && !areSdkAppIds(sdkAppIds))
    faults.push('sdkAppIds must be a list of positive whole numbers, or be left out for any');
  // Not by name: it might be a key pasted in the wrong place.
  if (Object.keys(others).length > 0) faults.push('there are members beside name, keySha256 and sdkAppIds');
  return faults.map((fault) => `${called(entry, at)}: ${fault}`);
}

function repeatedKeys(list: readonly unknown[]): string[] {
  const first = new Map<string, string>();
  return list.flatMap((entry, at) => {
    if (!isObject(entry) || !isSha256(entry['keySha256'])) return [];
    const digest = entry['keySha256'].toLowerCase();
    const earlier = first.get(digest);
    if (!earlier) first.set(digest, called(entry, at));
    return earlier ? [`${called(entry, at)}: has the same key as ${earlier}`] : [];
  });
}

function called({ name }: Record<string, unknown>, at: number): string {
  return `entry ${at + 1}${isCallerName(name) ? ` (${name})` : ''}`;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isSha256(value: unknown): value is string {
  return typeof value === 'string' && SHA256.test(value);
}

function areSdkAppIds(value: unknown): value is number[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((id) => Number.isSafeInteger(id) && Number(id) > 0)
  );
}
