import { type Browser, chromium } from 'playwright-core';
import { type Program, resolveProgram } from './programs.js';

const CHROMIUM: Program = {
  name: 'chromium',
  packages: ['chromium'],
  installHint: 'Elsewhere: put a Chromium on PATH under that name.',
};

const CHROMIUM_FLAGS = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-gpu',
  '--disable-quic',
  '--disable-sync',
  '--no-first-run',
  // Its other requests to its vendor go to a port where nothing listens. Only loopback is reached without the proxy.
  '--proxy-server=127.0.0.1:9',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** Starts a headless Chromium with a new profile that reaches only loopback. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: resolveProgram(CHROMIUM),
    // Chromium's sandbox does not work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: CHROMIUM_FLAGS,
  });
}
