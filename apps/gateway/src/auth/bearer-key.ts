// Any number of spaces, and the scheme in any case: RFC 9110, sections 11.1 and 11.4; the key: RFC 6750, section 2.1.
const BEARER = /^bearer +([\w.~+/-]+=*)$/i;

/** Returns the key in the value of an Authorization header; undefined for any other value. */
export function bearerKey(authorization: string | undefined): string | undefined {
  return authorization === undefined ? undefined : BEARER.exec(authorization)?.[1];
}
