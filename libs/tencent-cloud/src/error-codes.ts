/**
 * The error codes that Tencent Cloud documents for every API, and the codes of the actions in this library.
 *
 * @see https://www.tencentcloud.com/document/product/647/34270 (error codes)
 */
export const DOCUMENTED_CODES = [
  'ActionOffline',
  'AuthFailure',
  'AuthFailure.InvalidAuthorization',
  'AuthFailure.InvalidSecretId',
  'AuthFailure.MFAFailure',
  'AuthFailure.SecretIdNotFound',
  'AuthFailure.SignatureExpire',
  'AuthFailure.SignatureFailure',
  'AuthFailure.TokenFailure',
  'AuthFailure.UnauthorizedOperation',
  'DryRunOperation',
  'FailedOperation',
  'FailedOperation.SdkAppIdNotExist',
  'FailedOperation.TaskFinished',
  'FailedOperation.TaskNotExist',
  'InternalError',
  'InternalError.InternalError',
  'InvalidAction',
  'InvalidParameter',
  'InvalidParameter.BodyParamsError',
  'InvalidParameter.SdkAppId',
  'InvalidParameter.TaskId',
  'InvalidParameterValue',
  'InvalidRequest',
  'IpInBlacklist',
  'IpNotInWhitelist',
  'LimitExceeded',
  'MissingParameter',
  'NoSuchProduct',
  'NoSuchVersion',
  'RequestLimitExceeded',
  'RequestLimitExceeded.GlobalRegionUinLimitExceeded',
  'RequestLimitExceeded.IPLimitExceeded',
  'RequestLimitExceeded.UinLimitExceeded',
  'RequestSizeLimitExceeded',
  'ResourceInUse',
  'ResourceInsufficient',
  'ResourceNotFound',
  'ResourceUnavailable',
  'ResponseSizeLimitExceeded',
  'ServiceUnavailable',
  'UnauthorizedOperation',
  'UnknownParameter',
  'UnsupportedOperation',
  'UnsupportedProtocol',
  'UnsupportedRegion',
] as const;

/** Returns whether a code equals `parent` or is below it: `RequestLimitExceeded.UinLimitExceeded` is a `RequestLimitExceeded`. */
export function isCode(code: string, parent: string): boolean {
  return code === parent || code.startsWith(`${parent}.`);
}
