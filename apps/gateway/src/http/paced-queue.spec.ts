import { describe, expect, it } from '@jest/globals';
import { PacedQueue } from './paced-queue.js';

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('a paced queue', () => {
  it('runs at most so many callbacks per turn of the event loop, first come first served', async () => {
    const queue = new PacedQueue(2);
    const runs: number[] = [];
    for (const n of [1, 2, 3, 4, 5]) queue.add(() => runs.push(n));
    expect(runs).toEqual([]);
    const perTurn: number[] = [];
    for (let n = 0; n < 4; n += 1) {
      const before = runs.length;
      await turn();
      perTurn.push(runs.length - before);
    }
    expect(runs).toEqual([1, 2, 3, 4, 5]);
    expect(perTurn).toEqual([2, 2, 1, 0]);
  });

  it('runs a callback again that is added while it runs, in a later turn, and runs no callback twice', async () => {
    const queue = new PacedQueue(1);
    let runs = 0;
    const callback = (): void => {
      runs += 1;
      if (runs < 3) queue.add(callback);
    };
    queue.add(callback);
    queue.add(callback);
    for (let n = 0; n < 6; n += 1) await turn();
    expect(runs).toBe(3);
  });
});
