import type { DestinationStream } from 'pino';

/** Fields that repeat the message, or are the same in every entry. */
const HIDDEN_FIELDS = 'event,context';

/**
 * Creates a log destination for a terminal: readable, and in colour unless NO_COLOR is set.
 *
 * @returns undefined if the stream is not a terminal, or without pino-pretty, which is a development dependency
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
