import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';

/** A listener that answers no handshake while its event loop is blocked: the queue of the kernel is full. */
export class SlowListener {
  readonly #fillers: Socket[];

  private constructor(
    private readonly worker: Worker,
    private readonly blocked: Int32Array,
    private readonly counter: Int32Array,
    readonly port: number,
    fillers: Socket[],
  ) {
    this.#fillers = fillers;
  }

  /**
   * @param port 0 for a free one
   * @param body of its responses, once it is unblocked
   */
  static async start(address: string, port = 0, body = address): Promise<SlowListener> {
    const blocked = new Int32Array(new SharedArrayBuffer(4));
    const counter = new Int32Array(new SharedArrayBuffer(4));
    const worker = new Worker(
      `const { parentPort, workerData: { address, port, blocked, counter, body } } = require('node:worker_threads');
      const server = require('node:http').createServer((request, response) => {
        Atomics.add(counter, 0, 1);
        response.end(body);
      });
      server.listen({ host: address, port, backlog: 1 }, () => {
        parentPort.postMessage(server.address().port);
        Atomics.wait(blocked, 0, 0);
      });`,
      { eval: true, workerData: { address, port, blocked, counter, body } },
    );
    const [bound] = (await once(worker, 'message')) as [number];
    // A queue of the length 1 holds two connections.
    const fillers = [1, 2].map(() => connect(bound, address).on('error', () => {}));
    await Promise.all(fillers.map((socket) => once(socket, 'connect')));
    return new SlowListener(worker, blocked, counter, bound, fillers);
  }

  /** The number of requests that it has answered. */
  get requests(): number {
    return Atomics.load(this.counter, 0);
  }

  /** Answers handshakes from now on. The kernel of the client repeats its packet after a second. */
  unblock(): void {
    Atomics.store(this.blocked, 0, 1);
    Atomics.notify(this.blocked, 0);
  }

  async close(): Promise<void> {
    for (const socket of this.#fillers) socket.destroy();
    this.unblock();
    await this.worker.terminate();
  }
}
