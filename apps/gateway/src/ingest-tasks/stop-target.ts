import { parse } from 'fast-querystring';

/** What a target says, undecided whether it is right: as the router would hand it on. */
export interface StopTarget {
  readonly params: { readonly id: string };
  readonly query: Readonly<Record<string, unknown>>;
}

const TARGET = /^\/ingest-tasks\/([^/?#]+)(?:\?([^#]*))?$/;

/**
 * Reads the target of a stop as Fastify's router reads it.
 *
 * @returns undefined for any other target, and for one that takes more than a glance
 */
export function readStopTarget(url: string): StopTarget | undefined {
  const [, segment, query] = TARGET.exec(url) ?? [];
  if (segment === undefined) return undefined;
  const id = decoded(segment);
  return id === undefined ? undefined : { params: { id }, query: query ? parse(query) : {} };
}

function decoded(segment: string): string | undefined {
  if (!segment.includes('%')) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}
