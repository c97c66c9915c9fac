import { IsInt, IsString } from 'class-validator';
import { defineContract, type HealthReport } from 'nestjs-realtime';

export class RoomName {
  @IsString() room!: string;
}
/** Every message of a rig has a number of its own, rising with the time it was issued. */
export class Note {
  @IsInt() n!: number;
  @IsString() pad!: string;
}
export class Answer {
  @IsString() by!: string;
}

export const crowd = defineContract({
  client: { join: { payload: RoomName, reply: RoomName }, leave: { payload: RoomName, reply: RoomName } },
  server: { note: { payload: Note }, ask: { payload: Note, reply: Answer } },
});

/** What a rig asks a node's `Broadcaster` to do. */
export type Verb =
  | 'sendToUser'
  | 'sendToUsers'
  | 'sendToRoom'
  | 'sendToRooms'
  | 'sendToConnection'
  | 'broadcast'
  | 'joinRoom'
  | 'leaveRoom'
  | 'disconnectUser'
  | 'disconnectSession'
  | 'disconnectConnection'
  | 'requestFromUser'
  | 'requestFromConnection';

export interface Command {
  readonly id: number;
  readonly verb: Verb | 'report' | 'health';
  readonly args: readonly unknown[];
}

/** How a command ended; an error is named by its class and its code. */
export type Ended =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };

/** What a node says of itself. */
export interface NodeReport {
  readonly health: HealthReport;
  /** Errors that nobody caught, and rejections that nobody handled. */
  readonly uncaught: readonly string[];
  readonly heapBytes: number;
  /** What keeps its event loop alive: sockets, timers, requests. */
  readonly handles: number;
  /** Commands that have not ended. */
  readonly pending: number;
  readonly channels: number;
}
