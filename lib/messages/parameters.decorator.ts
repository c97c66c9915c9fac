import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ConnectedSocket, MessageBody } from '@nestjs/websockets';
import type { Connection } from '../connections/connection.js';

/** The validated payload, or one property of it: `@Payload('tableId')`. Pipes may follow, as with `@Body()`. */
export const Payload: typeof MessageBody = MessageBody;

/** The `Connection` the message came on. */
export const CurrentConnection: typeof ConnectedSocket = ConnectedSocket;

/** `connection.user`, or one property of it: `@CurrentUser('role')`. */
export const CurrentUser: (property?: string) => ParameterDecorator = createParamDecorator(
  (property: string | undefined, context: ExecutionContext): unknown => {
    const { user } = context.switchToWs().getClient<Connection<Record<string, unknown>>>();
    return property === undefined ? user : user?.[property];
  },
);
