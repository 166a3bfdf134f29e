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
  // Whatever it asks its maker all the same ends at a port where nobody listens; only loopback is reached without.
  '--proxy-server=127.0.0.1:9',
  '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

/** A headless Chromium with a new profile, which reaches nothing but loopback. */
export function startChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: resolveProgram(CHROMIUM),
    // Chromium's own sandbox does not work for root.
    chromiumSandbox: process.getuid?.() !== 0,
    args: CHROMIUM_FLAGS,
  });
}
