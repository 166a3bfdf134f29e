/** The authenticated caller of a request. */
export interface CallerIdentity {
  readonly name: string;
  /** The SdkAppIds that the key may use; undefined means any. */
  readonly sdkAppIds: ReadonlySet<number> | undefined;
}

declare module 'fastify' {
  interface FastifyRequest {
    /** Set once, by the authentication hook; undefined on public routes and until then. */
    caller: CallerIdentity | undefined;
  }
}

/** The caller when no keys are required. */
export const ANONYMOUS: CallerIdentity = { name: 'anonymous', sdkAppIds: undefined };

/** The name of a caller without a valid key, in logs and metrics. */
export const UNKNOWN_CALLER = 'unknown';

export function canUseSdkAppId({ sdkAppIds }: CallerIdentity, sdkAppId: number): boolean {
  return sdkAppIds === undefined || sdkAppIds.has(sdkAppId);
}
