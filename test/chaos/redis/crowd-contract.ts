import { IsInt, IsString } from 'class-validator';
import { defineContract, type HealthReport } from 'nestjs-realtime';

export class RoomName {
  @IsString() room!: string;
}
/** Every message of a rig has a unique number, in the order of issue. */
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

/** A command of the rig to a node's `Broadcaster`. */
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

/** The outcome of a command; an error is given by its class and code. */
export type Ended =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly error: string };

/** What a node reports about itself. */
export interface NodeReport {
  readonly health: HealthReport;
  /** Uncaught exceptions and unhandled rejections. */
  readonly uncaught: readonly string[];
  readonly heapBytes: number;
  /** Active handles of its event loop: sockets, timers, requests. */
  readonly handles: number;
  /** Commands still running. */
  readonly pending: number;
  readonly channels: number;
}
