import { glob, readFile } from 'node:fs/promises';
import ts from 'typescript';

export interface LoggedEvent {
  readonly event: string;
  readonly level: string;
}

const LEVELS = new Set(['trace', 'debug', 'info', 'warn', 'error', 'fatal']);

/**
 * Finds every event that the sources can log, with its level, in calls such as `logger.warn({ event: 'x' })`.
 *
 * @throws Error that names the position of a call without an event
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

/** Returns the level of a logger call; undefined for other nodes. */
function levelOf(node: ts.Node): string | undefined {
  if (!ts.isCallExpression(node) || !ts.isPropertyAccessExpression(node.expression)) return undefined;
  const { expression: logger, name } = node.expression;
  return LEVELS.has(name.text) && /(^|\.)logger$/.test(logger.getText()) ? name.text : undefined;
}

function eventOf({ arguments: [fields], pos }: ts.CallExpression, source: ts.SourceFile): string {
  // The one entry that is built elsewhere.
  if (fields?.getText().startsWith('stopLogEntry(')) return 'stop-completed';
  if (fields && ts.isObjectLiteralExpression(fields))
    for (const property of fields.properties)
      if (ts.isPropertyAssignment(property) && property.name.getText() === 'event')
        if (ts.isStringLiteral(property.initializer)) return property.initializer.text;
  const { line } = source.getLineAndCharacterOfPosition(pos);
  throw new Error(`${source.fileName}:${line + 1} logs without an event`);
}
