import { TERMINATOR } from './constants.js';

const SERVICE = /^[a-z0-9_-]+$/;

/** The scope in which a signing key is valid: one service on one UTC date. */
export function credentialScope(date: string, service: string): string {
  if (!SERVICE.test(service)) {
    throw new TypeError('service must be a lowercase product name such as trtc');
  }
  return `${date}/${service}/${TERMINATOR}`;
}
