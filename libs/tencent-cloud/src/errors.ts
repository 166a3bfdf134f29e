/** What the cloud said of itself in an answer: safe to pass on, unlike its free text, which is never kept. */
export interface CloudWord {
  /** `Response.Error.Code`. */
  readonly cloudCode: string;
  /** `Response.RequestId`, needed for locating a problem at Tencent. */
  readonly requestId: string;
}

/** The cloud answered with a definite refusal: the call had no effect. */
export class CloudRefused extends Error implements CloudWord {
  readonly code = 'refused';
  override readonly name = 'CloudRefused';

  constructor(
    readonly cloudCode: string,
    readonly requestId: string,
  ) {
    super(`the cloud refused: ${cloudCode}`);
  }
}

/** The call reached the cloud, or may have, and no definite answer came back: it may have taken effect. */
export class CloudFailed extends Error {
  readonly code = 'failed';
  override readonly name = 'CloudFailed';

  /**
   * @param reason what went wrong, in fixed words
   * @param word what the cloud said, when it said anything that can be understood
   */
  constructor(
    readonly reason: string,
    readonly word?: CloudWord,
  ) {
    super(`the cloud failed: ${reason}`);
  }
}

/** No answer in time after the request was sent: it may have taken effect. */
export class CloudTimeout extends Error {
  readonly code = 'timeout';
  override readonly name = 'CloudTimeout';

  constructor() {
    super('the cloud did not answer in time');
  }
}

/** No connection: name not resolved, connection refused, TLS failed, or none of it done in time. Nothing was sent. */
export class CloudUnreachable extends Error {
  readonly code = 'unreachable';
  override readonly name = 'CloudUnreachable';

  /** @param reason the system's error code, such as `ECONNREFUSED` */
  constructor(readonly reason: string) {
    super(`the cloud is unreachable: ${reason}`);
  }
}
