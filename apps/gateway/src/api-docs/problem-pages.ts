import { hash } from 'node:crypto';
import type { ProblemDescription } from '../problems/problem-table.js';

const STYLE = `
body { max-width: 44rem; margin: 3rem auto; padding: 0 1rem; font: 1.05rem/1.5 system-ui, sans-serif; color: #222; background: #fff }
h1 { line-height: 1.2 } dt { margin-top: 1rem; font-weight: 600 } dd { margin: 0 }
code { padding: .1em .3em; border-radius: .2em; background: #eee; font-size: .9em }
@media (prefers-color-scheme: dark) { body { color: #ddd; background: #1b1b1b } code { background: #333 } a { color: #8bf } }
`;

/** The source of the pages' style for a Content-Security-Policy. */
export const STYLE_SOURCE = `'sha256-${hash('sha256', STYLE, 'base64')}'`;

export function problemPage({
  code,
  status,
  title,
  meaning,
  resolution,
  ...problem
}: ProblemDescription): string {
  return page(
    title,
    `<p><code>${escapeHtml(code)}</code>, with status ${status}</p>
<dl>
<dt>Meaning</dt><dd>${renderInlineCode(meaning)}</dd>
<dt>Outcome</dt><dd><code>${escapeHtml(problem.outcome)}</code>: ${renderInlineCode(problem.outcomeMeaning)}</dd>
<dt>Resolution</dt><dd>${renderInlineCode(resolution)}</dd>
</dl>
<p><a href="../problems">All problems</a> · <a href="../docs">API documentation</a></p>`,
  );
}

export function problemsPage(problems: readonly ProblemDescription[]): string {
  const items = problems.map(
    ({ code, status, title }) =>
      `<li>${status} <a href="problems/${escapeHtml(code)}"><code>${escapeHtml(code)}</code></a> ${escapeHtml(title)}</li>`,
  );
  return page('Problems', `<ul>\n${items.join('\n')}\n</ul>\n<p><a href="docs">API documentation</a></p>`);
}

function page(title: string, content: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
<h1>${escapeHtml(title)}</h1>
${content}
</html>
`;
}

/** Renders text in which backquotes mark code. */
function renderInlineCode(text: string): string {
  return escapeHtml(text).replaceAll(/`([^`]+)`/g, '<code>$1</code>');
}

const ESCAPES: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ESCAPES[character]!);
}
