/**
 * The headers of a page for browsers: it may use what is named and nothing else, be framed by nobody, and tell no
 * other site where it is.
 *
 * @param sources directives of the Content-Security-Policy that allow what the page needs
 */
export function pageHeaders(...sources: string[]): Record<string, string> {
  const denied = ["default-src 'none'", "base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"];
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': [...denied, ...sources].join('; '),
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'referrer-policy': 'no-referrer',
    'x-frame-options': 'DENY',
  };
}
