/** Longer waits are reduced to this. */
export const MAX_WAIT_S = 30;

/** The items between commas; a comma in a quoted string does not separate items. */
const LIST_ITEMS = /(?:[^,"]|"(?:[^"\\]|\\.)*"?)+/gs;
const BEFORE_PARAMETERS = /^(?:[^;"]|"(?:[^"\\]|\\.)*"?)*/s;
const PREFERENCE = /^([!#$%&'*+\-.^_`|~\w]+)[ \t]*(?:=[ \t]*(.*))?$/s;

/** The preferences of a request that the gateway can apply. */
export interface Preferences {
  /** How many seconds the call may wait, at most 30; undefined without a valid `wait`. */
  readonly waitSeconds: number | undefined;
  readonly respondAsync: boolean;
}

const NO_PREFERENCES: Preferences = { waitSeconds: undefined, respondAsync: false };

/**
 * Parses a Prefer header. Invalid and unknown preferences are ignored, as RFC 7240 requires.
 *
 * @param header the value; several headers are joined by commas
 * @see https://www.rfc-editor.org/rfc/rfc7240
 */
export function parsePrefer(header: string | undefined): Preferences {
  if (header === undefined) return NO_PREFERENCES;
  const values = new Map<string, string>();
  for (const [preference] of header.matchAll(LIST_ITEMS)) {
    const [withoutParameters = ''] = BEFORE_PARAMETERS.exec(preference)!;
    const [, name = '', value = ''] = PREFERENCE.exec(withoutParameters.trim()) ?? [];
    // The first of several equal preferences applies, even if it is invalid.
    if (!values.has(name.toLowerCase())) values.set(name.toLowerCase(), value.trim());
  }
  return {
    waitSeconds: parseSeconds(values.get('wait')),
    // An empty value is the same as none.
    respondAsync: /^("")?$/.test(values.get('respond-async') ?? 'absent'),
  };
}

function parseSeconds(value = ''): number | undefined {
  const text = /^(\d+|"\d+")$/.exec(value)?.[0];
  return text === undefined ? undefined : Math.min(Number(text.replaceAll('"', '')), MAX_WAIT_S);
}
