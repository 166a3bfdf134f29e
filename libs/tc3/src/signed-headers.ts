import { ACTION, CONTENT_TYPE, HOST } from './constants.js';

const BY_DEFAULT = `${CONTENT_TYPE};${HOST}`;
const WITH_ACTION = `${BY_DEFAULT};${ACTION}`;

/** The names of the headers that are signed, in alphabetical order as the protocol wants them. */
export function signedHeaders(action: string | undefined): string {
  return action === undefined ? BY_DEFAULT : WITH_ACTION;
}
