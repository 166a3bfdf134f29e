import { describe, expect, it } from '@jest/globals';
import { connect } from 'node:tls';
import { once } from 'node:events';
import {
  certificateForAnotherHost,
  expiredCertificate,
  selfSignedCertificate,
  type CertificateFactory,
} from './certificates.js';
import { startSandbox } from './sandbox.js';

async function handshake(servername: string, certificate?: CertificateFactory): Promise<string> {
  const sandbox = await startSandbox(certificate ? { certificate } : {});
  const port = Number(new URL(sandbox.httpsUrl).port);
  const socket = connect({ host: '127.0.0.1', port, servername, ca: sandbox.ca });
  const result = await once(socket, 'secureConnect').then(
    () => 'trusted',
    (error: NodeJS.ErrnoException) => error.code ?? error.message,
  );
  socket.destroy();
  await sandbox.close();
  return result;
}

describe('the certificate', () => {
  it.each(['localhost', 'trtc.intl.tencentcloudapi.com'])('is trusted for %s', async (host) => {
    expect(await handshake(host)).toBe('trusted');
  });

  it('is trusted for 127.0.0.1, which has no server name in the handshake', async () => {
    expect(await handshake('')).toBe('trusted');
  });

  it.each([
    ['expired', expiredCertificate, 'CERT_HAS_EXPIRED'],
    ['for another host', certificateForAnotherHost, 'ERR_TLS_CERT_ALTNAME_INVALID'],
    ['self-signed', selfSignedCertificate, 'DEPTH_ZERO_SELF_SIGNED_CERT'],
  ])('is rejected when it is %s', async (_name, certificate, code) => {
    expect(await handshake('localhost', certificate)).toBe(code);
  });
});
