import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FileCredentialsProvider } from './file-credentials-provider.js';
import { CredentialsUnavailableError } from './credentials-provider.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'file-credentials-'));
});

afterAll(() => rm(folder, { recursive: true }));

type FileName = 'id' | 'key' | 'token';

/** Creates files and a provider that loads them. Time between reads passes at once; `between.reads` runs in it. */
async function createProvider(contents: Partial<Record<FileName, string>>) {
  const own = await mkdtemp(join(folder, 'case-'));
  const file = (name: FileName): string => join(own, name);
  const write = async (newContents: Partial<Record<FileName, string>>): Promise<void> => {
    for (const [name, content] of Object.entries(newContents))
      await writeFile(file(name as FileName), content);
  };
  await write(contents);
  const between = { reads: () => Promise.resolve() };
  const events: string[] = [];
  const listeners: (() => void)[] = [];
  const retryTimers = new Set<() => void>();
  const provider = new FileCredentialsProvider({
    sources: {
      secretId: 'id' in contents ? { file: file('id') } : { value: () => 'a-fixed-id' },
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
          await between.reads();
          callback();
        })();
        return () => {};
      },
    },
    read: (path) => readFile(path, 'utf8'),
    watch: (_, onChange) => {
      listeners.push(onChange);
      return () => {};
    },
    observer: {
      loaded: (expiresAtMs) => void events.push(`loaded until ${expiresAtMs}`),
      failed: (reason) => void events.push(reason),
    },
  });
  const change = async (newContents: Partial<Record<FileName, string>>): Promise<void> => {
    await write(newContents);
    const before = events.length;
    for (const onChange of listeners) onChange();
    while (events.length === before) await setImmediate();
  };
  const runRetryTimers = async (): Promise<void> => {
    const before = events.length;
    const due = [...retryTimers];
    retryTimers.clear();
    for (const callback of due) callback();
    while (due.length > 0 && events.length === before) await setImmediate();
  };
  const parts = (): string[] => {
    const { secretId, secretKey, token } = provider.getCredentials();
    return [secretId, secretKey, ...(token === undefined ? [] : [token])];
  };
  return { provider, write, events, parts, change, between, runRetryTimers, retryTimers };
}

describe('FileCredentialsProvider', () => {
  it('ignores line feeds at the end of a file', async () => {
    const { provider, parts, events } = await createProvider({
      id: 'AKID1\n',
      key: 'key1\r\n',
      token: 'token1\n\n',
    });
    await provider.start();
    expect(parts()).toEqual(['AKID1', 'key1', 'token1']);
    expect(events).toEqual(['loaded until Infinity']);
  });

  it('has no credentials before the first read or without a file, and does not report the path', async () => {
    const { provider, events } = await createProvider({ id: 'AKID1' });
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
    await provider.start();
    expect(() => provider.getCredentials()).toThrow(CredentialsUnavailableError);
    expect(events).toEqual(['a file cannot be read (ENOENT)']);
  });

  it('never combines a new SecretId with an old SecretKey', async () => {
    const { provider, change, parts, events } = await createProvider({ id: 'AKID1', key: 'key1' });
    await provider.start();
    await change({ id: 'AKID2' });
    expect(parts()).toEqual(['AKID1', 'key1']);
    expect(events.at(-1)).toBe('only a part of the credentials has changed');
    await change({ key: 'key2' });
    expect(parts()).toEqual(['AKID2', 'key2']);
  });

  it('never combines new credentials with an old token', async () => {
    const { provider, change, parts } = await createProvider({ id: 'AKID1', key: 'key1', token: 'token1' });
    await provider.start();
    await change({ id: 'AKID2', key: 'key2' });
    expect(parts()).toEqual(['AKID1', 'key1', 'token1']);
    await change({ token: 'token2' });
    expect(parts()).toEqual(['AKID2', 'key2', 'token2']);
  });

  it('reads the files until they have stopped changing', async () => {
    const { provider, write, change, parts, between } = await createProvider({ id: 'AKID1', key: 'key1' });
    await provider.start();
    const later = [() => write({ id: 'AKID3' }), () => write({ key: 'key3' })];
    between.reads = () => later.shift()?.() ?? Promise.resolve();
    await change({ id: 'AKID2', key: 'key2' });
    expect(parts()).toEqual(['AKID3', 'key3']);
  });

  it.each([
    ['empty', { id: '', key: '' }, 'the files do not hold credentials'],
    ['invalid', { id: 'AKID2', key: 'a\nb' }, 'the files do not hold credentials'],
  ])('keeps the current credentials when the new files are %s', async (_, contents, reason) => {
    const { provider, change, parts, events } = await createProvider({ id: 'AKID1', key: 'key1' });
    await provider.start();
    await change(contents);
    expect(parts()).toEqual(['AKID1', 'key1']);
    expect(events.at(-1)).toBe(reason);
  });

  it('reads the files again on request', async () => {
    const { provider, write, parts } = await createProvider({ id: 'AKID1', key: 'key1' });
    await provider.start();
    await write({ id: 'AKID2', key: 'key2' });
    expect(parts()).toEqual(['AKID1', 'key1']);
    await provider.renew();
    expect(parts()).toEqual(['AKID2', 'key2']);
  });

  it('reads invalid files again each minute, and reports each failure', async () => {
    const { provider, write, change, runRetryTimers, parts, events } = await createProvider({
      id: 'AKID1',
      key: 'key1',
    });
    await provider.start();
    const failure = 'only a part of the credentials has changed';
    await change({ id: 'AKID2' });
    await runRetryTimers();
    await runRetryTimers();
    expect(events.slice(1)).toEqual([failure, failure, failure]);
    await write({ key: 'key2' });
    await runRetryTimers();
    expect(parts()).toEqual(['AKID2', 'key2']);
    await runRetryTimers();
    expect(events.at(-1)).toBe('loaded until Infinity');
    await change({ id: 'AKID3' });
    provider.stop();
    await runRetryTimers();
    expect(events).toHaveLength(6);
  });

  it('reports the return of the current content after a failure', async () => {
    const { provider, change, parts, events } = await createProvider({ id: 'AKID1', key: 'key1' });
    await provider.start();
    await change({ id: 'AKID2' });
    await change({ id: 'AKID1' });
    expect(events.at(-1)).toBe('loaded until Infinity');
    expect(parts()).toEqual(['AKID1', 'key1']);
  });

  it('combines a file with a fixed value', async () => {
    const { provider, parts } = await createProvider({ key: 'key1' });
    await provider.start();
    expect(parts()).toEqual(['a-fixed-id', 'key1']);
  });

  it('has one retry timer while the files are invalid, and none once they are valid or the provider is stopped', async () => {
    const { provider, change, retryTimers } = await createProvider({ id: 'AKID1', key: 'key1' });
    await provider.start();
    expect(retryTimers.size).toBe(0);
    await change({ id: 'AKID2' });
    await change({ id: 'AKID3' });
    expect(retryTimers.size).toBe(1);
    await change({ key: 'key3' });
    expect(retryTimers.size).toBe(0);
    await change({ id: 'AKID4' });
    provider.stop();
    expect(retryTimers.size).toBe(0);
  });
});
