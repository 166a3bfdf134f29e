/** More than this counts as this. */
export const LONGEST_WAIT_S = 30;

/** What stands between separators, which quoted strings may contain. */
const LIST = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/gs;
const BEFORE_PARAMETERS = /^(?:[^;"]|"(?:[^"\\]|\\.)*"?)*/s;
const PREFERENCE = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*(?:=[ \t]*(.*))?$/s;

/**
 * How many seconds the caller prefers to wait for a slot: the first `wait` of the Prefer header, at most 30.
 * What cannot be understood is ignored, as the RFC demands.
 *
 * @param header its value; several headers joined by commas
 * @see https://www.rfc-editor.org/rfc/rfc7240#section-4.3
 */
export function preferredWait(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  for (const [preference] of header.matchAll(LIST)) {
    const [own = ''] = BEFORE_PARAMETERS.exec(preference)!;
    const [, name, value] = PREFERENCE.exec(own.trim()) ?? [];
    // Of a preference given more than once only the first counts, even if it means nothing.
    if (name?.toLowerCase() === 'wait') return seconds(value);
  }
  return undefined;
}

function seconds(value = ''): number | undefined {
  const text = /^(\d+|"\d+")$/.exec(value.trim())?.[0];
  return text === undefined ? undefined : Math.min(Number(text.replaceAll('"', '')), LONGEST_WAIT_S);
}
