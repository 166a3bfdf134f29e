import type { DestinationStream } from 'pino';

/** What pino-pretty shows by itself, or what is the same on every line. */
const HIDDEN_FIELDS = 'event,context';

/**
 * A log destination for a person at a terminal: readable, and in colour unless NO_COLOR is set.
 *
 * @returns undefined when no terminal reads, or without pino-pretty, which is a development dependency
 */
export async function prettyLogDestination(out: NodeJS.WriteStream): Promise<DestinationStream | undefined> {
  if (!out.isTTY) return undefined;
  const pretty = await import('pino-pretty').catch(() => undefined);
  return pretty?.default({
    destination: out,
    colorize: out.hasColors(),
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss.l',
    ignore: HIDDEN_FIELDS,
  });
}
