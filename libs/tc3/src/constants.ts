export const ALGORITHM = 'TC3-HMAC-SHA256';
export const KEY_PREFIX = 'TC3';
export const TERMINATOR = 'tc3_request';

export const METHOD = 'POST';
export const PATH = '/';
export const QUERY = '';

export const CONTENT_TYPE = 'content-type';
export const HOST = 'host';
/** In alphabetical order, as the protocol requires. */
export const SIGNED_HEADERS = `${CONTENT_TYPE};${HOST}`;
