/** A message is larger than `maxQueueBytes`; it was not sent to any client. */
export class MessageTooLargeError extends RangeError {
  override readonly name = 'MessageTooLargeError';

  constructor(
    readonly type: string,
    readonly bytes: number,
    readonly maxBytes: number,
  ) {
    super(
      `Expected the message "${type}" to take at most ${maxBytes} bytes (the option maxQueueBytes), got ${bytes}: ` +
        'send it in parts or as a link, or raise maxQueueBytes.',
    );
  }
}
