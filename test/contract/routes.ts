export interface ContractRoute {
  readonly path: string;
  /** In alphabetical order, as in the `Allow` header. */
  readonly methods: readonly string[];
  readonly needsKey: boolean;
}

/** Every route of the gateway. Before you add a route, decide whether it needs a key. */
export const ROUTES: readonly ContractRoute[] = [
  { path: '/ingest-tasks/:id', methods: ['DELETE'], needsKey: true },
  { path: '/stops', methods: ['GET', 'HEAD'], needsKey: true },
  { path: '/stops/:id', methods: ['GET', 'HEAD'], needsKey: true },
  { path: '/livez', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/readyz', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/metrics', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/docs', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/docs/:file', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/openapi.json', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/problems', methods: ['GET', 'HEAD'], needsKey: false },
  { path: '/problems/:code', methods: ['GET', 'HEAD'], needsKey: false },
];
