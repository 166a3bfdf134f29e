import { observeReads } from './observe-reads.mjs';

// Their validators are generated from the OpenAPI documents of Kubernetes and of the Prometheus Operator.
const MODELS = ['kubernetes-models', '@kubernetes-models/prometheus-operator'];

/** Lists unknown, missing and invalid fields of a Kubernetes resource. */
export async function validateResource(resource) {
  const { apiVersion, kind } = resource ?? {};
  const model = await findModel(apiVersion, kind);
  if (!model) return [{ path: '', message: `has an unknown kind: ${apiVersion} ${kind}` }];
  const { proxy, unread } = observeReads(resource);
  const errors = validationErrors(model, proxy).map(({ instancePath, message, params }) => ({
    path: instancePath,
    message: [message, params.allowedValues?.join(', ')].filter(Boolean).join(': '),
  }));
  // A schema without `additionalProperties: false` accepts misspelled fields. But its validator reads every known field,
  // so an unread field is unknown, unless its parent is invalid.
  const unknown = unread()
    .filter((path) => !errors.some((error) => error.path !== '' && path.startsWith(`${error.path}/`)))
    .map((path) => ({ path, message: 'is not a field of it' }));
  return [...errors, ...unknown];
}

async function findModel(apiVersion, kind) {
  const found = await Promise.all(
    MODELS.map((name) => import(`${name}/${apiVersion}/${kind}`).catch(() => undefined)),
  );
  return found.find(Boolean)?.[kind];
}

function validationErrors(model, resource) {
  try {
    model.prototype.validate.call(resource);
    return [];
  } catch (error) {
    if (!Array.isArray(error.errors)) throw error;
    return error.errors;
  }
}
