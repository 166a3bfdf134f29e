import { glob, readFile } from 'node:fs/promises';
import ts from 'typescript';

export interface LoggedEvent {
  readonly event: string;
  readonly level: string;
}

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

/**
 * Every event that the sources can log, with its level: what stands in calls such as `logger.warn({ event: 'x' })`.
 *
 * @throws Error that names the place of a line that is logged without an event
 */
export async function loggedEvents(folder: string): Promise<LoggedEvent[]> {
  const events: LoggedEvent[] = [];
  for await (const file of glob(`${folder}/**/*.ts`)) {
    const source = ts.createSourceFile(file, await readFile(file, 'utf8'), ts.ScriptTarget.Latest, true);
    const visit = (node: ts.Node): void => {
      const level = levelOf(node);
      if (level) events.push({ level, event: eventOf(node as ts.CallExpression, source) });
      ts.forEachChild(node, visit);
    };
    visit(source);
  }
  return events;
}

/** The level at which a node logs; undefined when it does not. */
function levelOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression: logger, name } = node.expression;
  return LEVELS.has(name.text) && /(^|\.)logger$/.test(logger.getText()) ? name.text : undefined;
}

function eventOf({ arguments: [fields], pos }: ts.CallExpression, source: ts.SourceFile): string {
  // The one line that is put together elsewhere.
  if (fields?.getText().startsWith('stopLine(')) return 'stop';
  if (fields && ts.isObjectLiteralExpression(fields))
    for (const property of fields.properties)
      if (ts.isPropertyAssignment(property) && property.name.getText() === 'event')
        if (ts.isStringLiteral(property.initializer)) return property.initializer.text;
  const { line } = source.getLineAndCharacterOfPosition(pos);
  throw new Error(`${source.fileName}:${line + 1} logs without an event`);
}
