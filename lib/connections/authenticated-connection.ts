import type { Connection, ConnectionData, ConnectionUser, PathParams } from './connection.js';

/**
 * A connection that has a user: `userId` and `user` are there. Handlers of `@OnMessage(…, { authenticated: true })` and
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
