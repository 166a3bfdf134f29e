import { randomBytes } from 'node:crypto';

const STOP_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Creates an id: a UUID version 7, whose alphabetical order is the order of creation. */
export function createStopId(wallClockMs: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(wallClockMs, 0, 6);
  bytes[6] = 0x70 | (bytes[6]! & 0x0f);
  bytes[8] = 0x80 | (bytes[8]! & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** Whether this can be the id of a stop. The names of other keys cannot. */
export function isStopId(text: string): boolean {
  return STOP_ID.test(text);
}

/** Returns when an id was created, in milliseconds of the wall clock. */
export function creationTimeOf(stopId: string): number {
  return Number.parseInt(stopId.slice(0, 8) + stopId.slice(9, 13), 16);
}
