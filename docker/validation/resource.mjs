import { observed } from './observed.mjs';

// Their validators are compiled from the OpenAPI documents of Kubernetes and of the Prometheus Operator.
const MODELS = ['kubernetes-models', '@kubernetes-models/prometheus-operator'];

/** What a Kubernetes resource has that its kind does not know, or lacks. */
export async function resourceFaults(resource) {
  const { apiVersion, kind } = resource ?? {};
  const model = await modelOf(apiVersion, kind);
  if (!model) return [{ path: '', message: `is of no known kind: ${apiVersion} ${kind}` }];
  const { proxy, unread } = observed(resource);
  const wrong = errorsOf(model, proxy).map(({ instancePath, message, params }) => ({
    path: instancePath,
    message: [message, params.allowedValues?.join(', ')].filter(Boolean).join(': '),
  }));
  // A schema without `additionalProperties: false` lets a typing error pass. But it asks for every field that it
  // knows, so one that it never asked for is unknown, unless it was never reached.
  const unknown = unread()
    .filter((path) => !wrong.some((fault) => fault.path !== '' && path.startsWith(`${fault.path}/`)))
    .map((path) => ({ path, message: 'is not a field of it' }));
  return [...wrong, ...unknown];
}

async function modelOf(apiVersion, kind) {
  const found = await Promise.all(
    MODELS.map((name) => import(`${name}/${apiVersion}/${kind}`).catch(() => undefined)),
  );
  return found.find(Boolean)?.[kind];
}

function errorsOf(model, resource) {
  try {
    model.prototype.validate.call(resource);
    return [];
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    return error.errors;
  }
}
