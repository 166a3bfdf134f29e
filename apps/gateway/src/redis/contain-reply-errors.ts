import DataHandlerModule from 'ioredis/built/DataHandler.js';

/** The methods of ioredis' private class that handles the replies of a connection. */
interface DataHandler {
  /** Calls the handler of one reply. Throws its errors in the next tick, where nothing can catch them. */
  dispatch(handleReply: () => void): void;
  /** Rejects the pending commands and connects again. */
  returnFatalError(error: unknown): void;
}

/**
 * Makes ioredis connect again after a reply that it cannot handle, for example a null that responds to no command. On
 * its own, it throws an error that ends the process. Has no effect when called again.
 */
export function containReplyErrors(): void {
  // A CommonJS module, whose exports are the default export.
  const { default: handler } = DataHandlerModule as unknown as { default: { prototype: DataHandler } };
  handler.prototype.dispatch = function (this: DataHandler, handleReply) {
    try {
      handleReply();
    } catch (error) {
      this.returnFatalError(error);
    }
  };
}
