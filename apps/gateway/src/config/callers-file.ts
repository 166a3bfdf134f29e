import { ANONYMOUS, type CallerIdentity, UNKNOWN_CALLER } from '../http/caller-identity.js';

const NAME = /^[A-Za-z0-9][\w.-]{0,63}$/;

const RESERVED_NAMES: readonly string[] = [ANONYMOUS.name, UNKNOWN_CALLER];

/** The rule for the name of a caller, which logs and metrics show unchanged. */
export const CALLER_NAME_RULE = `1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit, and not ${RESERVED_NAMES.join(' or ')}`;

const SHA256 = /^[0-9a-f]{64}$/i;

/** A caller and the SHA-256 of one of its keys. */
export interface CallerKey extends CallerIdentity {
  /** 64 hexadecimal digits. */
  readonly keySha256: string;
}

/** CALLERS_FILE is not a valid list of callers. */
export class InvalidCallersFileError extends Error {
  override readonly name = 'InvalidCallersFileError';

  /** @param errors one phrase per error; never contains a key or its digest */
  constructor(readonly errors: readonly string[]) {
    super(errors.join('; '));
  }
}

/**
 * Parses a list of callers: `[{ "name": "room-service", "keySha256": "<hex>", "sdkAppIds": [1400000001] }]`.
 *
 * Two entries may have the same name: the caller then has two keys, so that one can replace the other.
 *
 * @throws InvalidCallersFileError that lists every error
 */
export function parseCallers(text: string): CallerKey[] {
  const list = parseList(text);
  const errors = [...list.flatMap(validateEntry), ...duplicateKeys(list)];
  if (errors.length > 0) throw new InvalidCallersFileError(errors);
  return (list as { name: string; keySha256: string; sdkAppIds?: number[] }[]).map(
    ({ name, keySha256, sdkAppIds }) => ({
      name,
      keySha256,
      sdkAppIds: sdkAppIds && new Set(sdkAppIds),
    }),
  );
}

function parseList(text: string): unknown[] {
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    // The message of the parser contains a part of the file.
    throw new InvalidCallersFileError(['is not JSON']);
  }
  if (!Array.isArray(list)) throw new InvalidCallersFileError(['is not a JSON list']);
  if (list.length === 0) throw new InvalidCallersFileError(['lists no caller']);
  return list;
}

function validateEntry(entry: unknown, index: number): string[] {
  if (!isObject(entry)) return [`entry ${index + 1} is not an object`];
  const { name, keySha256, sdkAppIds, ...others } = entry;
  const errors = [];
  if (!isCallerName(name)) errors.push(`name must be ${CALLER_NAME_RULE}`);
  if (!isSha256(keySha256)) errors.push('keySha256 must be 64 hexadecimal digits');
  if (sdkAppIds !== undefined && !areSdkAppIds(sdkAppIds))
    errors.push('sdkAppIds must be a list of positive whole numbers, or be left out for any');
  // Without their names: a name may be a key that was pasted in the wrong place.
  if (Object.keys(others).length > 0)
    errors.push('members other than name, keySha256 and sdkAppIds are not allowed');
  return errors.map((error) => `${entryLabel(entry, index)}: ${error}`);
}

function duplicateKeys(list: readonly unknown[]): string[] {
  const first = new Map<string, string>();
  return list.flatMap((entry, index) => {
    if (!isObject(entry) || !isSha256(entry['keySha256'])) return [];
    const digest = entry['keySha256'].toLowerCase();
    const earlier = first.get(digest);
    if (!earlier) first.set(digest, entryLabel(entry, index));
    return earlier ? [`${entryLabel(entry, index)}: has the same key as ${earlier}`] : [];
  });
}

function entryLabel({ name }: Record<string, unknown>, index: number): string {
  return `entry ${index + 1}${isCallerName(name) ? ` (${name})` : ''}`;
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

export function isCallerName(name: unknown): name is string {
  return typeof name === 'string' && NAME.test(name) && !RESERVED_NAMES.includes(name);
}
