/** Who may call, as one of its keys says. */
export interface Caller {
  readonly name: string;
  /** The SdkAppIds that the key may use; undefined: any. */
  readonly sdkAppIds: ReadonlySet<number> | undefined;
}

/** The caller while no keys are asked for. */
export const ANONYMOUS: Caller = { name: 'anonymous', sdkAppIds: undefined };

/** Stands for the name, in logs and metrics, of whoever has no valid key. */
export const UNKNOWN = 'unknown';

export function mayUse({ sdkAppIds }: Caller, sdkAppId: number): boolean {
  return sdkAppIds === undefined || sdkAppIds.has(sdkAppId);
}
