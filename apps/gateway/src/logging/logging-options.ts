import { getConfigToken } from '@nestjs/config';

export interface LoggingOptions {
  readonly level: string;
  /** In production, entries are JSON also on a terminal. */
  readonly isProduction: boolean;
}

/** The injection token of the configuration namespace with these options. */
export const LOGGING_OPTIONS = getConfigToken('logging');
