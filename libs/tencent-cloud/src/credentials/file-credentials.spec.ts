import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileCredentials } from './file-credentials.js';
import { NoCredentials } from './no-credentials.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-credentials-'));
});

afterAll(() => rm(folder, { recursive: true }));

type Files = 'id' | 'key' | 'token';

/** Files, and what becomes of them. Seconds pass as fast as they can; `between.readings` is done meanwhile. */
async function inFiles(texts: Partial<Record<Files, string>>) {
  const own = await mkdtemp(join(folder, 'case-'));
  const file = (name: Files): string => join(own, name);
  const write = async (parts: Partial<Record<Files, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(parts)) await writeFile(file(name as Files), text);
  };
  await write(texts);
  const between = { readings: () => Promise.resolve() };
  const told: string[] = [];
  const listeners: (() => void)[] = [];
  const inAMinute = new Set<() => void>();
  const source = new FileCredentials({
    parts: {
      secretId: { file: file('id') },
      secretKey: { file: file('key') },
      ...('token' in texts && { token: { file: file('token') } }),
    },
    clock: {
      now: () => 0,
      epochMs: () => 0,
      wakeIn: (ms, callback) => {
        if (ms >= 60_000) {
          inAMinute.add(callback);
          return () => inAMinute.delete(callback);
        }
        void (async () => {
          await between.readings();
          callback();
        })();
        return () => {};
      },
    },
    follow: (_, onChange) => {
      listeners.push(onChange);
      return () => {};
    },
    observer: {
      loaded: (expireAtMs) => void told.push(`loaded until ${expireAtMs}`),
      failed: (reason) => void told.push(reason),
    },
  });
  const change = async (parts: Partial<Record<Files, string>>): Promise<void> => {
    await write(parts);
    const before = told.length;
    for (const changed of listeners) changed();
    while (told.length === before) await setImmediate();
  };
  const aMinutePasses = async (): Promise<void> => {
    const before = told.length;
    const due = [...inAMinute];
    inAMinute.clear();
    for (const callback of due) callback();
    while (due.length > 0 && told.length === before) await setImmediate();
  };
  const pair = (): string[] => {
    const { secretId, secretKey, token } = source.current();
    return [secretId, secretKey, ...(token === undefined ? [] : [token])];
  };
  return { source, write, told, pair, change, between, aMinutePasses };
}

describe('credentials in files', () => {
  it('are read without the line feed that ends a file', async () => {
    const { source, pair, told } = await inFiles({ id: 'AKID1\n', key: 'key1\r\n', token: 'token1\n\n' });
    await source.start();
    expect(pair()).toEqual(['AKID1', 'key1', 'token1']);
    expect(told).toEqual(['loaded until Infinity']);
  });

  it('are not there before the first reading, nor without a file, whose name is not told', async () => {
    const { source, told } = await inFiles({ id: 'AKID1' });
    expect(() => source.current()).toThrow(NoCredentials);
    await source.start();
    expect(() => source.current()).toThrow(NoCredentials);
    expect(told).toEqual(['a file cannot be read (ENOENT)']);
  });

  it('are taken together: a new id never meets an old key, however long the key takes', async () => {
    const { source, change, pair, told } = await inFiles({ id: 'AKID1', key: 'key1' });
    await source.start();
    await change({ id: 'AKID2' });
    expect(pair()).toEqual(['AKID1', 'key1']);
    expect(told.at(-1)).toBe('only a part of the credentials has changed');
    await change({ key: 'key2' });
    expect(pair()).toEqual(['AKID2', 'key2']);
  });

  it('are taken with the token that belongs to them', async () => {
    const { source, change, pair } = await inFiles({ id: 'AKID1', key: 'key1', token: 'token1' });
    await source.start();
    await change({ id: 'AKID2', key: 'key2' });
    expect(pair()).toEqual(['AKID1', 'key1', 'token1']);
    await change({ token: 'token2' });
    expect(pair()).toEqual(['AKID2', 'key2', 'token2']);
  });

  it('are read until they have stopped changing', async () => {
    const { source, write, change, pair, between } = await inFiles({ id: 'AKID1', key: 'key1' });
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
    const { source, change, pair, told } = await inFiles({ id: 'AKID1', key: 'key1' });
    await source.start();
    await change(parts);
    expect(pair()).toEqual(['AKID1', 'key1']);
    expect(told.at(-1)).toBe(reason);
  });

  it('are read again each minute while they are of no use, and told of each time', async () => {
    const { source, write, change, aMinutePasses, pair, told } = await inFiles({ id: 'AKID1', key: 'key1' });
    await source.start();
    const useless = 'only a part of the credentials has changed';
    await change({ id: 'AKID2' });
    await aMinutePasses();
    await aMinutePasses();
    expect(told.slice(1)).toEqual([useless, useless, useless]);
    await write({ key: 'key2' });
    await aMinutePasses();
    expect(pair()).toEqual(['AKID2', 'key2']);
    await aMinutePasses();
    expect(told.at(-1)).toBe('loaded until Infinity');
    await change({ id: 'AKID3' });
    source.stop();
    await aMinutePasses();
    expect(told).toHaveLength(6);
  });

  it('may be files in part, beside what is given and cannot change', async () => {
    const file = join(folder, 'only-key');
    await writeFile(file, 'key1');
    const source = new FileCredentials({
      parts: { secretId: { given: () => 'AKID1' }, secretKey: { file } },
      clock: {
        now: () => 0,
        epochMs: () => 0,
        wakeIn: (_, callback) => {
          callback();
          return () => {};
        },
      },
      follow: () => () => {},
    });
    await source.start();
    expect(source.current().secretKey).toBe('key1');
  });
});
