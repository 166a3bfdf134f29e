import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toStopRequest, validateStopRequest } from './stop-request.js';

interface RequestParts {
  id?: string;
  query?: Record<string, unknown>;
  body?: Buffer;
}

const request = ({ id = 'a-task', query = {}, body }: RequestParts) => ({ params: { id }, query, body });

describe('validateStopRequest', () => {
  it('accepts every id of 1 to 256 characters without control characters, and leaves it unchanged', () => {
    const ids = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 256 })
      // oxlint-disable-next-line no-control-regex -- these characters are what the rule excludes
      .filter((id) => id.match(/./gsu)!.length <= 256 && !/[\u0000-\u001F\u007F-\u009F]/.test(id));
    fc.assert(
      fc.property(ids, (id) => {
        expect(validateStopRequest(request({ id }))).toEqual([]);
        expect(toStopRequest(request({ id }))).toEqual({
          taskId: id,
          sdkAppId: undefined,
          region: undefined,
        });
      }),
    );
  });

  it('converts the query', () => {
    const query = { sdkAppId: '9007199254740991', region: 'ap-mumbai' };
    expect(validateStopRequest(request({ query }))).toEqual([]);
    expect(toStopRequest(request({ query }))).toEqual({
      taskId: 'a-task',
      sdkAppId: 9007199254740991,
      region: 'ap-mumbai',
    });
  });

  it.each(['0', '01', '-1', '1e3', '1.0', ' 1', '', '9007199254740992', ['1', '2']])(
    'rejects the sdkAppId %j',
    (sdkAppId) => {
      expect(validateStopRequest(request({ query: { sdkAppId } }))).toEqual([
        {
          in: 'query',
          name: 'sdkAppId',
          message: 'must be given once, as a positive whole number below 2^53',
        },
      ]);
    },
  );

  it.each(['eu-frankfurt', 'AP-SINGAPORE', '', ['ap-singapore', 'ap-jakarta']])(
    'rejects the region %j',
    (region) => {
      expect(validateStopRequest(request({ query: { region } }))).toMatchObject([
        { in: 'query', name: 'region' },
      ]);
    },
  );

  it('lists every error', () => {
    const errors = validateStopRequest(
      request({ id: '', query: { sdkAppId: '0', Region: 'ap-mumbai' }, body: Buffer.from('{}') }),
    );
    expect(errors.map((error) => [error.in, error.name])).toEqual([
      ['path', 'id'],
      ['query', 'sdkAppId'],
      ['query', 'Region'],
      ['body', ''],
    ]);
  });
});
