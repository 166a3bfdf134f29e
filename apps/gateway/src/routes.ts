import { Injectable } from '@nestjs/common';

interface Route {
  readonly pattern: RegExp;
  readonly methods: Set<string>;
}

/** The paths that this gateway serves, collected as they are registered. */
@Injectable()
export class Routes {
  readonly #routes = new Map<string, Route>();

  add(path: string, methods: readonly string[]): void {
    const route = this.#routes.get(path) ?? { pattern: patternOf(path), methods: new Set() };
    for (const method of methods) route.methods.add(method);
    this.#routes.set(path, route);
  }

  /** Every method and path, such as `DELETE /ingest-tasks/:id`. */
  list(): string[] {
    return [...this.#routes].flatMap(([path, { methods }]) =>
      [...methods].map((method) => `${method} ${path}`),
    );
  }

  /** The path of the route that a URL belongs to, as it was registered. */
  routeOf(url: string): string | undefined {
    const [path = ''] = url.split('?', 1);
    return [...this.#routes].find(([, { pattern }]) => pattern.test(path))?.[0];
  }

  /** The methods that a path takes, in alphabetical order; none when there is no such path. */
  methodsOf(url: string): string[] {
    const route = this.routeOf(url);
    return [...(this.#routes.get(route ?? '')?.methods ?? [])].toSorted();
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]*')}$`);
}
