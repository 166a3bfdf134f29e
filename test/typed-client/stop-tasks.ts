// A caller of the gateway that knows nothing of it but its OpenAPI document: `gateway-api` is made of that by
// openapi-typescript when the test runs. node stop-tasks.js <address> <key> <task id>…
import createClient from 'openapi-fetch';
import type { components, operations, paths } from './gateway-api.js';

type Content<R> = R extends { content: infer C } ? C[keyof C] : never;
type Responses = operations['stopIngestTask']['responses'];
type Problem = Content<Responses[Exclude<keyof Responses, 200>]>;

const [baseUrl = '', key = '', ...taskIds] = process.argv.slice(2);
const gateway = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

for (const id of taskIds) console.log(await stop(id));

async function stop(id: string): Promise<string> {
  const { data, error, response } = await gateway.DELETE('/ingest-tasks/{id}', {
    params: { path: { id }, query: { region: 'ap-singapore' }, header: { Prefer: 'wait=30' } },
  });
  if (data) return `${data.taskId} in ${data.region} is ${data.status}`;
  return `${id}: ${advice(error)} (${response.headers.get('x-request-id') === error.instance})`;
}

/** Every code is a type of its own, so that what a problem carries is known. */
function advice(problem: Problem): string {
  switch (problem.code) {
    case 'invalid-request':
      return problem.errors.map(({ in: place, name, message }) => `${place} ${name} ${message}`).join('; ');
    case 'task-not-found':
      return `the cloud says ${problem.upstream.code}`;
    case 'upstream-failed':
      return problem.upstream?.code ?? 'no word of the cloud';
    default:
      return known(problem.outcome);
  }
}

function known(outcome: Problem['outcome']): string {
  switch (outcome) {
    case 'not-sent':
      return 'nothing was sent';
    case 'not-stopped':
      return 'it was not stopped';
    case 'unknown':
      return 'repeat it';
    default:
      // Compiles only while the document names no other.
      return outcome satisfies never;
  }
}

/** What a compiler must not let pass. */
export async function mistakes(
  stopped: components['schemas']['StoppedTask'],
  problem: Problem,
): Promise<unknown[]> {
  const path = { id: 'x' };
  return [
    // @ts-expect-error no such region
    gateway.DELETE('/ingest-tasks/{id}', { params: { path, query: { region: 'ap-tokyo' } } }),
    // @ts-expect-error no such parameter
    gateway.DELETE('/ingest-tasks/{id}', { params: { path, query: { force: true } } }),
    // @ts-expect-error no task id
    gateway.DELETE('/ingest-tasks/{id}', {}),
    // @ts-expect-error no such method
    gateway.POST('/ingest-tasks/{id}', { params: { path } }),
    // @ts-expect-error no such state
    stopped.status === 'running',
    // @ts-expect-error no such problem
    problem.code === 'quota-exceeded',
    // @ts-expect-error not every problem has it
    problem.upstream,
  ];
}
