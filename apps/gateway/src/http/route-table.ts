import { Injectable } from '@nestjs/common';
import type { FastifyContextConfig, FastifyRequest, RouteOptions } from 'fastify';

/** One path that the gateway serves, with all its methods. */
export interface Route {
  readonly path: string;
  readonly pattern: RegExp;
  readonly methods: Set<string>;
  readonly config: FastifyContextConfig;
}

interface RoutedRequest extends Pick<FastifyRequest, 'method'> {
  readonly routeOptions: { readonly url?: string | undefined };
  readonly raw: { readonly url?: string | undefined };
}

/** The paths that the gateway serves, collected as Fastify registers them. */
@Injectable()
export class RouteTable {
  readonly #routes = new Map<string, Route>();

  add({ url, method, config = {} }: Pick<RouteOptions, 'url' | 'method' | 'config'>): void {
    const route = this.#routes.get(url) ?? { path: url, pattern: toRegExp(url), methods: new Set(), config };
    for (const name of [method].flat()) route.methods.add(name);
    this.#routes.set(url, route);
  }

  /** Every method and path, such as `DELETE /ingest-tasks/:id`. */
  list(): string[] {
    return [...this.#routes.values()].flatMap(({ path, methods }) =>
      [...methods].map((method) => `${method} ${path}`),
    );
  }

  /** Returns the route of a request, also if its parameter is empty, which the router does not match. */
  routeOf({ method, routeOptions, raw }: RoutedRequest): Route | undefined {
    if (routeOptions.url !== undefined) return this.#routes.get(routeOptions.url);
    const route = this.match(raw.url ?? '/');
    return route?.methods.has(method) ? route : undefined;
  }

  /** Returns the route of a URL, for any method. An empty parameter matches. */
  match(url: string): Route | undefined {
    const [path = ''] = url.split('?', 1);
    return [...this.#routes.values()].find(({ pattern }) => pattern.test(path));
  }

  /** Returns the methods of a URL's route in alphabetical order; none when there is no such route. */
  allowedMethods(url: string): string[] {
    return [...(this.match(url)?.methods ?? [])].toSorted();
  }
}

function toRegExp(path: string): RegExp {
  return new RegExp(`^${path.replaceAll('.', '\\.').replaceAll(/:\w+/g, '[^/]*')}$`);
}
