/** What `INFO` says about whether Redis keeps what it stored. */
export interface RedisDurability {
  /** Whether Redis has an append-only file. */
  readonly appendOnly: boolean;
  /** `noeviction` keeps stored stops when the memory is full. `unknown` if Redis does not say. */
  readonly evictionPolicy: string;
}

/** Parses the sections `persistence` and `memory` of INFO. */
export function parseDurability(info: string): RedisDurability {
  return {
    appendOnly: /^aof_enabled:1\s*$/m.test(info),
    evictionPolicy: /^maxmemory_policy:([a-z-]{1,32})\s*$/m.exec(info)?.[1] ?? 'unknown',
  };
}

/** Whether Redis deletes keys when its memory is full. */
export function evicts({ evictionPolicy }: RedisDurability): boolean {
  return evictionPolicy !== 'noeviction' && evictionPolicy !== 'unknown';
}

export function isDurable(durability: RedisDurability): boolean {
  return durability.appendOnly && !evicts(durability);
}
