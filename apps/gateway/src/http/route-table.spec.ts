import { beforeEach, describe, expect, it } from '@jest/globals';
import { RouteTable } from './route-table.js';

let routes: RouteTable;

beforeEach(() => {
  routes = new RouteTable();
  routes.add({ url: '/tasks/:id', method: 'PUT' });
  routes.add({ url: '/tasks/:id', method: ['DELETE', 'GET'] });
  routes.add({ url: '/openapi.json', method: 'GET', config: { isPublic: true } });
});

describe('RouteTable', () => {
  it('lists every method and path', () => {
    expect(routes.list()).toEqual([
      'PUT /tasks/:id',
      'DELETE /tasks/:id',
      'GET /tasks/:id',
      'GET /openapi.json',
    ]);
  });

  it.each([
    ['/tasks/7', '/tasks/:id'],
    ['/tasks/7?region=x', '/tasks/:id'],
    ['/tasks/', '/tasks/:id'],
    ['/openapi.json', '/openapi.json'],
    ['/openapi-json', undefined],
    ['/tasks/7/more', undefined],
    ['/x/tasks/7', undefined],
    ['/tasks', undefined],
  ])('matches %s with %s', (url, path) => {
    expect(routes.match(url)?.path).toBe(path);
  });

  it('returns the allowed methods in alphabetical order', () => {
    expect(routes.allowedMethods('/tasks/7')).toEqual(['DELETE', 'GET', 'PUT']);
    expect(routes.allowedMethods('/unknown')).toEqual([]);
  });

  it('returns the configuration of a route', () => {
    expect(routes.match('/openapi.json')?.config.isPublic).toBe(true);
    expect(routes.match('/tasks/7')?.config.isPublic).toBeUndefined();
  });
});
