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

  /** The methods that a path takes, in alphabetical order; none when there is no such path. */
  methodsOf(url: string): string[] {
    const [path = ''] = url.split('?', 1);
    const route = [...this.#routes.values()].find(({ pattern }) => pattern.test(path));
    return [...(route?.methods ?? [])].toSorted();
  }
}

function patternOf(path: string): RegExp {
  return new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]*')}$`);
}
