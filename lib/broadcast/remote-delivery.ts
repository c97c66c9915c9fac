import type { Publication } from '../backplane/publication.js';
import { Frame } from '../connections/frame.js';
import type { LocalDelivery } from './local-delivery.js';

/** Carries out on this node what another node published. */
export class RemoteDelivery {
  constructor(
    private readonly delivery: LocalDelivery,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  receive(publication: Publication): void {
    switch (publication.kind) {
      case 'message': {
        const { type, text, except, volatile } = publication;
        this.delivery.deliver(publication.to, { type, frame: new Frame(text), except, volatile });
        return;
      }
      case 'disconnect':
        for (const connection of this.delivery.recipients(publication.to)) {
          connection.close(publication.code, publication.reason);
        }
        return;
      case 'join':
        for (const connection of this.delivery.recipients(publication.to)) {
          connection.join(publication.room).catch(this.onFailure);
        }
        return;
      case 'leave':
        for (const connection of this.delivery.recipients(publication.to)) connection.leave(publication.room);
        return;
    }
  }
}
