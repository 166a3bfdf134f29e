import { Injectable } from '@nestjs/common';
import type { FastifyContextConfig, RouteOptions } from 'fastify';

/** One path that the gateway serves, with all of its methods. */
interface Route {
  readonly path: string;
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  readonly config: FastifyContextConfig;
}

/** The paths that the gateway serves, collected as Fastify registers them. */
@Injectable()
export class RouteTable {
  readonly #routes = new Map<string, Route>();

  add({ url, method, config = {} }: Pick<RouteOptions, 'url' | 'method' | 'config'>): void {
    const route = this.#routes.get(url) ?? { path: url, pattern: toRegExp(url), methods: new Set(), config };
    for (const each of [method].flat()) route.methods.add(each);
    this.#routes.set(url, route);
  }

  /** Every method and path, such as `DELETE /ingest-tasks/:id`. */
  list(): string[] {
    return [...this.#routes.values()].flatMap(({ path, methods }) =>
      [...methods].map((method) => `${method} ${path}`),
    );
  }

  /** The route that a URL belongs to, whatever the method; an empty parameter matches as well. */
  match(url: string): Pick<Route, 'path' | 'config'> | undefined {
    const [path = ''] = url.split('?', 1);
    return [...this.#routes.values()].find(({ pattern }) => pattern.test(path));
  }

  /** The methods that the path of a URL takes, in alphabetical order; none when there is no such path. */
  allowedMethods(url: string): string[] {
    const route = this.match(url);
    return route ? [...this.#routes.get(route.path)!.methods].toSorted() : [];
  }
}

function toRegExp(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]*')}$`);
}
