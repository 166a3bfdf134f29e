/** `<SdkAppId>/<region>/<TaskId>`, as the coalescer names a task. */
const TASK = /^[1-9]\d{0,15}\/[a-z\d-]{1,32}\/\P{Cc}{1,256}$/u;

const REQUEST_ID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

const ENTRY_ID = /^\d{1,15}-\d{1,20}$/;

/** Milliseconds of the store clock. */
const TIME = /^\d{1,15}$/;

/** An entry of the feed of ended tasks. */
interface EndedTask {
  readonly task: string;
  readonly requestId: string;
  readonly endedAt: number;
}

/**
 * Parses a reply of `XREAD` for one stream. Everybody who can write to Redis can write entries, so invalid ones are left
 * out.
 *
 * @returns the valid entries, the number of invalid ones, and the id after which to continue; undefined without entries
 */
export function parseEndedTasks(reply: unknown) {
  const entries = list(list(list(reply)[0])[1]).map(list);
  const endedTasks = entries.flatMap((entry) => parseEntry(entry) ?? []);
  const lastId = entries.map(([id]) => id).findLast((id) => matches(id, ENTRY_ID));
  return { endedTasks, invalid: entries.length - endedTasks.length, lastId };
}

function parseEntry([id, fields]: unknown[]): EndedTask | undefined {
  const [task, requestId, name, endedAt, ...others] = list(fields);
  if (!matches(id, ENTRY_ID) || !matches(task, TASK) || !matches(requestId, REQUEST_ID)) return undefined;
  if (name !== 'endedAt' || !matches(endedAt, TIME) || others.length > 0) return undefined;
  return { task, requestId, endedAt: Number(endedAt) };
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function matches(value: unknown, pattern: RegExp): value is string {
  return typeof value === 'string' && pattern.test(value);
}
