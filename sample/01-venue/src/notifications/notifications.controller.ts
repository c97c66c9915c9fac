import { Body, Controller, Param, Post, UseGuards } from '@nestjs/common';
import { Length } from 'class-validator';
import { Broadcaster } from 'nestjs-realtime';
import type { venue } from '../contract.js';
import { Caller, CallerGuard } from '../sign-in/caller.guard.js';

class SendNotification {
  @Length(1, 280, { message: 'a message has 1 to 280 characters' }) text!: string;
}

@Controller('users/:userId/notifications')
@UseGuards(CallerGuard)
export class NotificationsController {
  constructor(private readonly broadcaster: Broadcaster<typeof venue>) {}

  /** Reaches every window of that user; the receipt counts those that each node confirms in time. */
  @Post()
  send(@Param('userId') userId: string, @Body() { text }: SendNotification, @Caller() from: string) {
    const notification = { type: 'notification', payload: { text, from } } as const;
    return this.broadcaster.sendToUser(userId, notification, { confirmWithinMs: 1_000 });
  }
}
