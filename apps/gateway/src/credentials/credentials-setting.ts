import type { Credentials, Parts } from '#libs/tencent-cloud';

/** Where the configuration says that the credentials come from. */
export type CredentialsSetting =
  | { readonly from: 'environment'; readonly credentials: Credentials }
  | { readonly from: 'files'; readonly parts: Parts }
  | { readonly from: 'instance-role'; readonly role: string };
