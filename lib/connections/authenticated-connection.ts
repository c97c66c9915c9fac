import type { Connection, ConnectionData, ConnectionUser, PathParams } from './connection.js';

/**
 * A connection whose `userId` and `user` are set. Handlers of `@OnMessage(…, { authenticated: true })` and
 * hooks of `@RealtimeGateway({ …, authenticated: true })` may take it, since no other connection reaches them.
 */
export interface AuthenticatedConnection<
  User = ConnectionUser,
  Data = ConnectionData,
  Params extends PathParams = PathParams,
> extends Connection<User, Data, Params> {
  readonly userId: string;
  readonly user: User;
}
