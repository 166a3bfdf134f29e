/**
 * Returns the security headers of an HTML page: it loads only the given sources, no site can frame it, and its links
 * send no referrer.
 *
 * @param sources directives of the Content-Security-Policy that allow the sources of the page
 */
export function htmlSecurityHeaders(...sources: string[]): Record<string, string> {
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
