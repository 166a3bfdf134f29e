import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { tempFolderFixture } from '../support/fixtures.js';
import { LONG_TIMEOUTS } from '../support/gateway.js';
import { type Program, resolveProgram } from '../support/programs.js';
import { RedisProcess } from '../support/redis.js';
import { ReplicaSet } from '../support/replica-set.js';

const REDIS_CLI: Program = {
  name: 'redis-cli',
  packages: ['redis-tools'],
  installHint: 'It is a part of Redis.',
};

const OLD_PASSWORD = 'old-3f1c';
const NEW_PASSWORD = 'new-9a7e';

const operations = readFileSync('docs/operations.md', 'utf8');
const [section = ''] = /^### Redis password\n[^]*?(?=^## )/m.exec(operations) ?? [];

/** A command or a line of the page, with values in place of its `<…>`. */
function documented(start: string, text = section): string {
  const line = [...text.matchAll(/`([^`\n]+)`/g)]
    .map(([, code]) => code!)
    .find((code) => code.startsWith(start));
  if (!line) throw new Error(`docs/operations.md has no ${start}`);
  return line
    .replace('<password>', OLD_PASSWORD)
    .replace('<old password>', OLD_PASSWORD)
    .replace('<new password>', NEW_PASSWORD)
    .replace('<hash>', hashOf(OLD_PASSWORD))
    .replace('<old hash>', hashOf(OLD_PASSWORD))
    .replace('<new hash>', hashOf(NEW_PASSWORD));
}

/** Runs the command of the page that prints the hash of a password. */
function hashOf(password: string): string {
  const [, command = ''] = /`(printf %s '<password>' \| sha256sum)`/.exec(operations) ?? [];
  return execFileSync('sh', ['-c', command.replace('<password>', password)], { encoding: 'utf8' }).split(
    ' ',
  )[0]!;
}

const aclFile = join(await tempFolderFixture(), 'users.acl');
writeFileSync(aclFile, `${documented('user default on', operations)}\n`);
const redis = await RedisProcess.start('--aclfile', aclFile);
const urlWith = (password: string): string =>
  documented('redis://default:', operations)
    .replace(OLD_PASSWORD, password)
    .replace('redis:6379', `127.0.0.1:${redis.port}`);
const replicaSet = await ReplicaSet.start(2, {
  ...LONG_TIMEOUTS,
  // On a busy machine, a replica may lose Redis for a moment.
  QUOTA_DEFAULT_WAIT_MS: '30000',
  REDIS_URL: urlWith(OLD_PASSWORD),
});

afterAll(async () => {
  await replicaSet.close();
  await redis.close();
});

/** Runs commands in one session of redis-cli. @returns its output */
function redisCli(...commands: string[]): string {
  const parameters = ['-p', String(redis.port)];
  return execFileSync(resolveProgram(REDIS_CLI), parameters, {
    encoding: 'utf8',
    input: commands.join('\n'),
  });
}

/** Runs the command of the runbook that shows whether Redis responds. */
function ping(password: string): string {
  const [program, ...parameters] = documented('redis-cli -u', operations).split(' ');
  const withUrl = parameters.map((parameter) => parameter.replace('<url>', urlWith(password)));
  expect(program).toBe('redis-cli');
  return execFileSync(resolveProgram(REDIS_CLI), withUrl, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
}

describe('the rotation of the Redis password in docs/operations.md', () => {
  it('fails no call, and ends with replicas and a Redis that accept only the new password', async () => {
    // A replica that stops rejects the calls that still wait for the first slots.
    const first = await Promise.all(replicaSet.urls.map((url) => replicaSet.callReplica(url)));
    expect(first.map(({ status }) => status)).toEqual([200, 200]);
    const rotation = { isDone: false };
    let sent = 0;
    const statuses: number[] = [];
    const calls = (async () => {
      while (!rotation.isDone) {
        sent += 8;
        statuses.push(...(await replicaSet.sendAtRate(8, 1)).map(({ status }) => status));
      }
    })();

    try {
      expect(redisCli(documented('AUTH <old'), documented('ACL SETUSER default >'))).toBe('OK\nOK\n');
      writeFileSync(aclFile, `${documented('user default on')}\n`);
      for (let n = 0; n < 2; n += 1) {
        await replicaSet.addReplica({ REDIS_URL: urlWith(NEW_PASSWORD) });
        expect(await replicaSet.waitForRedis(30_000)).toBe(true);
        await replicaSet.stopOldest('SIGTERM');
      }
      expect(redisCli(documented('AUTH <new'), documented('ACL SETUSER default <'))).toBe('OK\nOK\n');
      expect(ping(OLD_PASSWORD)).toMatch(/^NOAUTH/);
      expect(ping(NEW_PASSWORD)).toBe('PONG');
    } finally {
      rotation.isDone = true;
      await calls;
    }
    expect(statuses).toEqual(Array<number>(sent).fill(200));
    expect(replicaSet.unexpectedExits).toEqual([]);
  });

  it('keeps both passwords when Redis restarts before the old one is removed', async () => {
    await redis.signal('SIGKILL');
    await redis.restart();
    expect([ping(OLD_PASSWORD), ping(NEW_PASSWORD)]).toEqual(['PONG', 'PONG']);
    expect(await replicaSet.waitForRedis(30_000)).toBe(true);
  });

  it('closes the connections with the old password after a leak', () => {
    expect(redisCli(documented('AUTH <new'), documented('CLIENT KILL'))).toMatch(/^OK\n\d+\n$/);
  });
});
