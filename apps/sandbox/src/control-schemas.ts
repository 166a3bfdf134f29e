const milliseconds = { type: 'number', minimum: 0 };
const text = { type: 'string' };
const headers = { type: 'object', additionalProperties: text };
const breakPoint = { enum: ['before-headers', 'in-headers', 'in-body'] };

/** JSON Schemas of the control API's request bodies: the types, for validation at run time. */
export const putTask = strict({ sdkAppId: { type: 'integer' }, status: { enum: ['running', 'finished'] } }, [
  'sdkAppId',
  'status',
]);

const delayRange = strict({ minMs: milliseconds, maxMs: milliseconds }, ['minMs', 'maxMs']);
export const putDelays = strict({ request: delayRange, response: delayRange });

export const putSettings = strict({
  acceptUnknownTasks: { type: 'boolean' },
  quotaPerSecond: { type: 'integer', minimum: 0 },
  clockOffsetSeconds: { type: 'number' },
});

const fault = {
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: [
    kind('error', { code: text, message: text }, ['code']),
    kind(
      'status',
      { status: { type: 'integer', minimum: 200, maximum: 599 }, body: text, contentType: text, headers },
      ['status'],
    ),
    kind('body', { body: text, bodyBase64: text, contentType: text, headers }),
    kind('no-response', {}),
    kind('reset', { at: breakPoint }, ['at']),
    kind('close', { at: breakPoint }, ['at']),
    kind('short-body', {}),
    kind('trickle', { part: { enum: ['headers', 'body'] }, everyMs: milliseconds }, ['part', 'everyMs']),
    kind('huge', { bytes: { type: 'integer', minimum: 0 } }, ['bytes']),
    kind('slow', { ms: milliseconds }, ['ms']),
  ],
};

export const putFaults = {
  type: 'array',
  items: strict(
    {
      fault,
      times: { anyOf: [{ type: 'integer', minimum: 1 }, { const: 'always' }] },
      probability: { type: 'number', minimum: 0, maximum: 1 },
      taskId: text,
      effect: { enum: ['before', 'after'] },
    },
    ['fault', 'times'],
  ),
};

function strict(properties: Record<string, object>, required: readonly string[] = []): object {
  return { type: 'object', additionalProperties: false, required, properties };
}

function kind(name: string, properties: Record<string, object>, required: readonly string[] = []): object {
  return strict({ kind: { const: name }, ...properties }, ['kind', ...required]);
}
