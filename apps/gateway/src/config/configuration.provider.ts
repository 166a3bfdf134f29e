import { Inject } from '@nestjs/common';
import { getConfigToken, registerAs } from '@nestjs/config';
import type { Configuration } from './configuration.js';

const NAMESPACE = 'gateway';

/** The token under which @nestjs/config provides the configuration. */
export const CONFIGURATION = getConfigToken(NAMESPACE);

export const InjectConfiguration = (): ParameterDecorator => Inject(CONFIGURATION);

export function configurationFactory(configuration: Configuration) {
  return registerAs(NAMESPACE, () => configuration);
}
