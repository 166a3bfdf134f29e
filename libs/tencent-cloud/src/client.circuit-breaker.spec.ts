import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { ManualClock } from '../test/manual-clock.js';
import { TencentCloudClient } from './client.js';
import { Credentials } from './credentials/credentials.js';
import { stopStreamIngest } from './stop-stream-ingest.js';

const HOUR_MS = 3_600_000;

/** A clock whose wall clock can be set without moving the monotonic one. */
class SettableClock extends ManualClock {
  setByMs = 0;

  override wallClockMs(): number {
    return super.wallClockMs() + this.setByMs;
  }
}

async function unusedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

afterEach(() => {
  jest.restoreAllMocks();
});

describe('a client whose circuit is open', () => {
  it('sends a probe after five seconds although the wall clock was set back', async () => {
    const clock = new SettableClock();
    const client = new TencentCloudClient({
      endpoint: new URL(`http://127.0.0.1:${await unusedPort()}`),
      getCredentials: () => new Credentials('AKIDexample', 'secret-key'),
      attemptTimeoutMs: 3000,
      deadlineMs: 8000,
      maxAttempts: 1,
      random: () => 0,
      clock,
    });
    const permit = { release: () => {} };
    const call = (): Promise<unknown> =>
      stopStreamIngest(
        client,
        { taskId: 'a', sdkAppId: 1 },
        { region: 'ap-singapore', acquirePermit: () => Promise.resolve(permit) },
      );
    for (let n = 0; n < 10; n += 1) await expect(call()).rejects.toMatchObject({ code: 'unreachable' });
    await expect(call()).rejects.toMatchObject({ code: 'circuit-open', retryAfterMs: 5000 });

    clock.setByMs = -HOUR_MS;
    const setBack = Date.now() - HOUR_MS;
    jest.spyOn(Date, 'now').mockReturnValue(setBack);
    clock.advance(4999);
    await expect(call()).rejects.toMatchObject({ code: 'circuit-open', retryAfterMs: 1 });
    clock.advance(1);
    await expect(call()).rejects.toMatchObject({ code: 'unreachable' });
    await expect(call()).rejects.toMatchObject({ code: 'circuit-open', retryAfterMs: 5000 });
    client.close();
  });
});
