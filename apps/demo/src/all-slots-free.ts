import { exchange } from './exchange.js';
import { readMetrics, total } from './metrics.js';
import { until } from './poll.js';
import type { Stage } from './stage.js';

/** Waits until nobody holds a slot; asking for it takes none. */
export async function allSlotsFree({ gateway, over }: Stage): Promise<void> {
  await until(
    'all slots to be free',
    async () => {
      const { body } = await exchange('GET', gateway, '/metrics', { signal: over });
      const samples = readMetrics(body);
      return total(samples, 'quota_slots') > 0 && total(samples, 'quota_slots_in_use') === 0;
    },
    over,
  );
}
