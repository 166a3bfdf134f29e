import type { DestinationStream } from 'pino';

/** Shown by pino-pretty itself, or the same on every line. */
const HIDDEN = 'event,context';

/**
 * Where log lines go for a person at a terminal: readable, and in colour unless NO_COLOR is set. undefined where no
 * terminal reads, or without pino-pretty, which is a development dependency: then they stay JSON.
 */
export async function terminalLog(out: NodeJS.WriteStream): Promise<DestinationStream | undefined> {
  if (!out.isTTY) return undefined;
  const pretty = await import('pino-pretty').catch(() => undefined);
  return pretty?.default({
    destination: out,
    colorize: out.hasColors(),
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: HIDDEN,
  });
}
