import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileCredentialsProvider } from './file-credentials-provider.js';
import { CredentialsUnavailableError } from './credentials-unavailable-error.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-credentials-'));
});

afterAll(() => rm(folder, { recursive: true }));

type Files = 'id' | 'key' | 'token';

/** Files, and what becomes of them. Seconds pass as fast as they can; `between.readings` is done meanwhile. */
async function createFiles(contents: Partial<Record<Files, string>>) {
  const own = await mkdtemp(join(folder, 'case-'));
  const file = (name: Files): string => join(own, name);
  const write = async (newContents: Partial<Record<Files, string>>): Promise<void> => {
    for (const [name, content] of Object.entries(newContents)) await writeFile(file(name as Files), content);
  };
  await write(contents);
  const between = { readings: () => Promise.resolve() };
  const events: string[] = [];
  const listeners: (() => void)[] = [];
  const retryTimers = new Set<() => void>();
  const source = new FileCredentialsProvider({
    sources: {
      secretId: { file: file('id') },
      secretKey: { file: file('key') },
      ...('token' in contents && { token: { file: file('token') } }),
    },
    clock: {
      now: () => 0,
      wallClockMs: () => 0,
      setTimer: (ms, callback) => {
        if (ms >= 60_000) {
          retryTimers.add(callback);
          return () => retryTimers.delete(callback);
        }
        void (async () => {
          await between.readings();
          callback();
        })();
        return () => {};
      },
    },
    watch: (_, onChange) => {
      listeners.push(onChange);
      return () => {};
    },
    observer: {
      loaded: (expiresAtMs) => void events.push(`loaded until ${expiresAtMs}`),
      failed: (reason) => void events.push(reason),
    },
  });
  const change = async (newContents: Partial<Record<Files, string>>): Promise<void> => {
    await write(newContents);
    const before = events.length;
    for (const changed of listeners) changed();
    while (events.length === before) await setImmediate();
  };
  const aMinutePasses = async (): Promise<void> => {
    const before = events.length;
    const due = [...retryTimers];
    retryTimers.clear();
    for (const callback of due) callback();
    while (due.length > 0 && events.length === before) await setImmediate();
  };
  const pair = (): string[] => {
    const { secretId, secretKey, token } = source.getCredentials();
    return [secretId, secretKey, ...(token === undefined ? [] : [token])];
  };
  return { source, write, events, pair, change, between, aMinutePasses };
}

describe('credentials in files', () => {
  it('are read without the line feed that ends a file', async () => {
    const { source, pair, events } = await createFiles({
      id: 'AKID1\n',
      key: 'key1\r\n',
      token: 'token1\n\n',
    });
    await source.start();
    expect(pair()).toEqual(['AKID1', 'key1', 'token1']);
    expect(events).toEqual(['loaded until Infinity']);
  });

  it('are not there before the first reading, nor without a file, whose name is not told', async () => {
    const { source, events } = await createFiles({ id: 'AKID1' });
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
    await source.start();
    expect(() => source.getCredentials()).toThrow(CredentialsUnavailableError);
    expect(events).toEqual(['a file cannot be read (ENOENT)']);
  });

  it('are taken together: a new id never meets an old key, however long the key takes', async () => {
    const { source, change, pair, events } = await createFiles({ id: 'AKID1', key: 'key1' });
    await source.start();
    await change({ id: 'AKID2' });
    expect(pair()).toEqual(['AKID1', 'key1']);
    expect(events.at(-1)).toBe('only a part of the credentials has changed');
    await change({ key: 'key2' });
    expect(pair()).toEqual(['AKID2', 'key2']);
  });

  it('are taken with the token that belongs to them', async () => {
    const { source, change, pair } = await createFiles({ id: 'AKID1', key: 'key1', token: 'token1' });
    await source.start();
    await change({ id: 'AKID2', key: 'key2' });
    expect(pair()).toEqual(['AKID1', 'key1', 'token1']);
    await change({ token: 'token2' });
    expect(pair()).toEqual(['AKID2', 'key2', 'token2']);
  });

  it('are read until they have stopped changing', async () => {
    const { source, write, change, pair, between } = await createFiles({ id: 'AKID1', key: 'key1' });
    await source.start();
    const later = [() => write({ id: 'AKID3' }), () => write({ key: 'key3' })];
    between.readings = () => later.shift()?.() ?? Promise.resolve();
    await change({ id: 'AKID2', key: 'key2' });
    expect(pair()).toEqual(['AKID3', 'key3']);
  });

  it.each([
    ['empty', { id: '', key: '' }, 'the files do not hold credentials'],
    ['of two lines', { id: 'AKID2', key: 'a\nb' }, 'the files do not hold credentials'],
  ])('stay as they are when the new ones are %s', async (_, parts, reason) => {
    const { source, change, pair, events } = await createFiles({ id: 'AKID1', key: 'key1' });
    await source.start();
    await change(parts);
    expect(pair()).toEqual(['AKID1', 'key1']);
    expect(events.at(-1)).toBe(reason);
  });

  it('are read again each minute while they are of no use, and told of each time', async () => {
    const { source, write, change, aMinutePasses, pair, events } = await createFiles({
      id: 'AKID1',
      key: 'key1',
    });
    await source.start();
    const useless = 'only a part of the credentials has changed';
    await change({ id: 'AKID2' });
    await aMinutePasses();
    await aMinutePasses();
    expect(events.slice(1)).toEqual([useless, useless, useless]);
    await write({ key: 'key2' });
    await aMinutePasses();
    expect(pair()).toEqual(['AKID2', 'key2']);
    await aMinutePasses();
    expect(events.at(-1)).toBe('loaded until Infinity');
    await change({ id: 'AKID3' });
    source.stop();
    await aMinutePasses();
    expect(events).toHaveLength(6);
  });

  it('may be files in part, beside what is given and cannot change', async () => {
    const file = join(folder, 'only-key');
    await writeFile(file, 'key1');
    const source = new FileCredentialsProvider({
      sources: { secretId: { value: () => 'AKID1' }, secretKey: { file } },
      clock: {
        now: () => 0,
        wallClockMs: () => 0,
        setTimer: (_, callback) => {
          callback();
          return () => {};
        },
      },
      watch: () => () => {},
    });
    await source.start();
    expect(source.getCredentials().secretKey).toBe('key1');
  });
});
