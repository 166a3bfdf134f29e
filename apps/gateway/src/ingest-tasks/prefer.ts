/** Longer waits are reduced to this. */
export const MAX_WAIT_S = 30;

/** The items between commas; a comma in a quoted string does not separate items. */
const LIST_ITEMS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/gs;
const BEFORE_PARAMETERS = /^(?:[^;"]|"(?:[^"\\]|\\.)*"?)*/s;
const PREFERENCE = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*(?:=[ \t]*(.*))?$/s;

/**
 * Parses the first `wait` of a Prefer header: how many seconds a call may wait for a slot, at most 30. Invalid preferences
 * are ignored, as RFC 7240 requires.
 *
 * @param header the value; several headers are joined by commas
 * @returns undefined without a valid `wait`
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.3
 */
export function parsePreferWait(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  for (const [preference] of header.matchAll(LIST_ITEMS)) {
    const [withoutParameters = ''] = BEFORE_PARAMETERS.exec(preference)!;
    const [, name, value] = PREFERENCE.exec(withoutParameters.trim()) ?? [];
    // The first of several equal preferences applies, even if it is invalid.
    if (name?.toLowerCase() === 'wait') return parseSeconds(value);
  }
  return undefined;
}

function parseSeconds(value = ''): number | undefined {
  const text = /^(\d+|"\d+")$/.exec(value.trim())?.[0];
  return text === undefined ? undefined : Math.min(Number(text.replaceAll('"', '')), MAX_WAIT_S);
}
