// A caller that uses only the OpenAPI document of the gateway: the test generates `gateway-api` from the document with
// openapi-typescript. Usage: node stop-tasks.js <url> <key> <task id>…
import createClient from 'openapi-fetch';
import type { components, operations, paths } from './gateway-api.js';

type Content<R> = R extends { content: infer C } ? C[keyof C] : never;
type Responses = operations['stopIngestTask']['responses'];
type Problem = Content<Responses[Exclude<keyof Responses, 200 | 202>]>;

const [baseUrl = '', key = '', ...taskIds] = process.argv.slice(2);
const gateway = createClient<paths>({ baseUrl, headers: { authorization: `Bearer ${key}` } });

for (const id of taskIds) console.log(await stop(id));

async function stop(id: string): Promise<string> {
  const { data, error, response } = await gateway.DELETE('/ingest-tasks/{id}', {
    params: { path: { id }, query: { region: 'ap-singapore' }, header: { Prefer: 'wait=30' } },
  });
  if (data) return `${data.taskId} in ${data.region} is ${data.status}`;
  return `${id}: ${describe(error)} (${response.headers.get('x-request-id') === error.instance})`;
}

/** Lists the tasks whose stops are pending. */
export async function pendingTasks(): Promise<string[]> {
  const { data } = await gateway.GET('/stops', { params: { query: { status: 'pending', limit: 10 } } });
  return data?.stops.map(({ taskId, attempts }) => `${taskId} after ${attempts} attempts`) ?? [];
}

/** The type of a problem depends on its code. */
function describe(problem: Problem): string {
  switch (problem.code) {
    case 'invalid-request':
      return problem.errors.map(({ in: place, name, message }) => `${place} ${name} ${message}`).join('; ');
    case 'task-not-found':
      return `the upstream code is ${problem.upstream.code}`;
    case 'upstream-failed':
      return problem.upstream?.code ?? 'the upstream sent no code';
    default:
      return describeOutcome(problem.outcome);
  }
}

function describeOutcome(outcome: Problem['outcome']): string {
  switch (outcome) {
    case 'not-sent':
      return 'not sent';
    case 'not-stopped':
      return 'not stopped';
    case 'unknown':
      return 'retry';
    default:
      // Compiles only while the document has no other outcome.
      return outcome satisfies never;
  }
}

/** Each of these is a compile error. */
export async function misuse(
  stopped: components['schemas']['StopTaskResponse'],
  problem: Problem,
): Promise<unknown[]> {
  const path = { id: 'x' };
  return [
    // @ts-expect-error unknown region
    gateway.DELETE('/ingest-tasks/{id}', { params: { path, query: { region: 'ap-tokyo' } } }),
    // @ts-expect-error unknown parameter
    gateway.DELETE('/ingest-tasks/{id}', { params: { path, query: { force: true } } }),
    // @ts-expect-error missing task id
    gateway.DELETE('/ingest-tasks/{id}', {}),
    // @ts-expect-error unknown method
    gateway.POST('/ingest-tasks/{id}', { params: { path } }),
    // @ts-expect-error unknown status
    stopped.status === 'running',
    // @ts-expect-error unknown problem code
    problem.code === 'quota-exceeded',
    // @ts-expect-error not every problem has `upstream`
    problem.upstream,
  ];
}
