/** A longer wait counts as this. */
export const MAX_WAIT_S = 30;

/** What stands between commas, which quoted strings may contain. */
const LIST = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/gs;
const BEFORE_PARAMETERS = /^(?:[^;"]|"(?:[^"\\]|\\.)*"?)*/s;
const PREFERENCE = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*(?:=[ \t]*(.*))?$/s;

/**
 * Parses how many seconds a call may wait for a slot: the first `wait` of the Prefer header, at most 30. A preference
 * that cannot be understood is ignored, as the RFC demands.
 *
 * @param header its value; several headers joined by commas
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.3
 */
export function parsePreferWait(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  for (const [preference] of header.matchAll(LIST)) {
    const [withoutParameters = ''] = BEFORE_PARAMETERS.exec(preference)!;
    const [, name, value] = PREFERENCE.exec(withoutParameters.trim()) ?? [];
    // Of a preference given more than once only the first counts, even when it is invalid.
    if (name?.toLowerCase() === 'wait') return parseSeconds(value);
  }
  return undefined;
}

function parseSeconds(value = ''): number | undefined {
  const text = /^(\d+|"\d+")$/.exec(value.trim())?.[0];
  return text === undefined ? undefined : Math.min(Number(text.replaceAll('"', '')), MAX_WAIT_S);
}
