import { getConfigToken } from '@nestjs/config';

export interface LoggingOptions {
  readonly level: string;
  /** In production, entries are JSON even on a terminal. */
  readonly isProduction: boolean;
}

/** The token of the configuration namespace that holds these options. */
export const LOGGING_OPTIONS = getConfigToken('logging');
