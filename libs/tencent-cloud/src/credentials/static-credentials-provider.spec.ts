import { describe, expect, it } from '@jest/globals';
import { Credentials } from './credentials.js';
import { StaticCredentialsProvider } from './static-credentials-provider.js';

describe('StaticCredentialsProvider', () => {
  it('reports its credentials as loaded at start, without an expiry, and never changes them', async () => {
    const events: string[] = [];
    const credentials = new Credentials('AKIDexample', 'secret-key');
    const provider = new StaticCredentialsProvider(credentials, {
      loaded: (expiresAtMs) => void events.push(`loaded until ${expiresAtMs}`),
      failed: (reason) => void events.push(reason),
    });
    expect(events).toEqual([]);
    await provider.start();
    expect(events).toEqual(['loaded until Infinity']);
    expect(provider.getCredentials()).toBe(credentials);
    provider.stop();
    expect(provider.getCredentials()).toBe(credentials);
  });
});
