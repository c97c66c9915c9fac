/** A payload and options as arguments; a message that carries nothing needs neither. */
export type PayloadArguments<Payload, Options> = [Payload] extends [null]
  ? [payload?: null, options?: Options]
  : [payload: Payload, options?: Options];
