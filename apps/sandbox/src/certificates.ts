import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  BasicConstraintsExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

/** A certificate and its private key, both PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateOptions {
  /** Host names and IP addresses; default: {@link CLOUD_HOSTS}. */
  readonly hosts?: readonly string[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

/** A certificate authority that lives as long as the process: its key is never written to disk. */
export interface CertificateAuthority {
  /** The CA certificate, PEM, that a client must trust. */
  readonly ca: string;
  issue(options?: CertificateOptions): Promise<Certificate>;
}

/** Creates the certificate that a listener presents. */
export type CertificateFactory = (authority: CertificateAuthority) => Promise<Certificate>;

/** The hosts under which clients call a sandbox. */
export const CLOUD_HOSTS: readonly string[] = ['localhost', '127.0.0.1', 'trtc.intl.tencentcloudapi.com'];

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 24 * 60 * 60 * 1000;

export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const keys = await generateKeyPair();
  const subject = 'CN=Sandbox demo authority';
  const authority = await X509CertificateGenerator.createSelfSigned({
    name: subject,
    keys,
    ...validity({}),
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
    ],
  });
  return {
    ca: authority.toString('pem'),
    issue: async (options = {}) => {
      const { publicKey, privateKey } = await generateKeyPair();
      const issued = await X509CertificateGenerator.create({
        subject: 'CN=Sandbox',
        issuer: subject,
        publicKey,
        signingKey: keys.privateKey,
        ...validity(options),
        extensions: [subjectAlternativeName(options)],
      });
      return { cert: issued.toString('pem'), key: await toPem(privateKey) };
    },
  };
}

/** Creates a certificate that expired yesterday. */
export const expiredCertificate: CertificateFactory = (authority) =>
  authority.issue({
    notBefore: new Date(Date.now() - 30 * DAY_MS),
    notAfter: new Date(Date.now() - DAY_MS),
  });

/** Creates a valid certificate for a different host. */
export const certificateForAnotherHost: CertificateFactory = (authority) =>
  authority.issue({ hosts: ['another-host.example'] });

/** Creates a self-signed certificate for the right hosts. */
export async function selfSignedCertificate(): Promise<Certificate> {
  const keys = await generateKeyPair();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=Sandbox, self-signed',
    keys,
    ...validity({}),
    extensions: [subjectAlternativeName({})],
  });
  return { cert: certificate.toString('pem'), key: await toPem(keys.privateKey) };
}

function generateKeyPair(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function validity({ notBefore, notAfter }: CertificateOptions): { notBefore: Date; notAfter: Date } {
  return {
    // The client's clock may be up to an hour behind.
    notBefore: notBefore ?? new Date(Date.now() - DAY_MS / 24),
    notAfter: notAfter ?? new Date(Date.now() + 30 * DAY_MS),
  };
}

function subjectAlternativeName({
  hosts = CLOUD_HOSTS,
}: CertificateOptions): SubjectAlternativeNameExtension {
  return new SubjectAlternativeNameExtension(
    hosts.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }) as const),
  );
}

async function toPem(key: webcrypto.CryptoKey): Promise<string> {
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${pkcs8.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`;
}
