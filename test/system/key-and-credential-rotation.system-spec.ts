import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import type { SandboxCredentials } from '../../apps/sandbox/src/credentials.js';
import { CallerRegistry } from '../../apps/gateway/src/auth/caller-registry.js';
import { bearerHeader, callerEntry } from '../support/callers-file.js';
import { replaceFileAtomically } from '../support/temp-folder.js';
import { type HttpResponse, stopTask } from '../support/client.js';
import { eventually } from '../support/eventually.js';
import { gatewayFixture, tempFolderFixture } from '../support/fixtures.js';

const SECONDS = 20;
const CALLS_PER_SECOND = 15;
const ROTATE_EVERY_MS = 200;
const ROTATIONS = (SECONDS * 1000) / ROTATE_EVERY_MS;

/** The number of keys in the file. */
const MAX_KEYS = 30;
/** A caller uses a key after this number of rotations, when the gateway has loaded it. */
const ROTATIONS_BEFORE_USE = 15;

const keyOf = (rotation: number): string => `igw_key-${rotation}`;
const credentialsOf = (rotation: number): SandboxCredentials => ({
  secretId: `AKIDrotation${rotation}`,
  secretKey: `key-of-rotation-${rotation}`,
});

const folder = await tempFolderFixture();
const file = (name: string): string => join(folder, name);
const files = { callers: file('callers.json'), id: file('id'), key: file('key') };
for (const path of Object.values(files)) await writeFile(path, '');
await rotateTo(0);

const { sandbox, gateway } = await gatewayFixture(
  {
    acceptUnknownTasks: true,
    quotaPerSecond: 1000,
    credentials: Array.from({ length: ROTATIONS + 1 }, (_, rotation) => credentialsOf(rotation)),
  },
  {
    ALLOW_ANONYMOUS: '',
    CALLERS_FILE: files.callers,
    TENCENTCLOUD_SECRET_ID: '',
    TENCENTCLOUD_SECRET_KEY: '',
    TENCENTCLOUD_SECRET_ID_FILE: files.id,
    TENCENTCLOUD_SECRET_KEY_FILE: files.key,
    QUOTA_PER_SECOND: '1000',
  },
);

async function rotateTo(rotation: number): Promise<void> {
  const { secretId, secretKey } = credentialsOf(rotation);
  const oldest = Math.max(0, rotation - MAX_KEYS + 1);
  const keys = Array.from({ length: rotation - oldest + 1 }, (_, n) => keyOf(oldest + n));
  await replaceFileAtomically(
    files.callers,
    JSON.stringify(keys.map((key) => callerEntry('room-service', key))),
  );
  await replaceFileAtomically(files.id, secretId);
  await replaceFileAtomically(files.key, secretKey);
}

describe('the rotation of caller keys and credentials five times a second for 20 seconds', () => {
  it('fails none of 15 calls per second', async () => {
    const callers = gateway.app.get(CallerRegistry);
    const start = performance.now();
    const rotated = { to: 0 };
    const sleepUntil = (at: number): Promise<void> => sleep(Math.max(0, start + at - performance.now()));
    const rotationsDone = (async () => {
      for (let rotation = 1; rotation <= ROTATIONS; rotation += 1) {
        await sleep(ROTATE_EVERY_MS);
        // On a busy machine, no key is used or removed before the gateway has loaded it.
        await eventually(
          () => callers.find(keyOf(Math.max(0, rotation - ROTATIONS_BEFORE_USE))) !== undefined,
        );
        await rotateTo(rotation);
        rotated.to = rotation;
      }
    })();
    const calls: Promise<HttpResponse>[] = [];
    for (let n = 0; n < SECONDS * CALLS_PER_SECOND; n += 1) {
      await sleepUntil((n * 1000) / CALLS_PER_SECOND);
      calls.push(
        stopTask(
          gateway.url,
          `task-${n}`,
          '',
          bearerHeader(keyOf(Math.max(0, rotated.to - ROTATIONS_BEFORE_USE))),
        ),
      );
    }
    const responses = await Promise.all(calls);
    await rotationsDone;

    expect(responses.filter(({ status }) => status !== 200).map(({ text }) => text)).toEqual([]);
    expect(sandbox.state().statistics.signatures.rejected).toBe(0);
    const signers = new Set(
      sandbox
        .receivedRequests()
        .map(({ headers }) => /Credential=([^/]+)/.exec(headers['authorization']!)![1]!),
    );
    // The credentials and keys of the last calls are much newer than those of the first calls.
    expect(signers.size).toBeGreaterThan(5);
    expect((await stopTask(gateway.url, 'late', '', bearerHeader(keyOf(0)))).status).toBe(401);
  }, 180_000);
});
