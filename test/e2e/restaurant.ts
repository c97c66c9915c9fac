import { IsBoolean, IsIn, IsInt, IsString, Max, Min } from 'class-validator';
import { Connection, OnMessage, RealtimeException, RealtimeGateway, defineContract } from 'nestjs-realtime';

export class Reserve {
  @IsString() tableId!: string;
  @IsInt() @Min(1) @Max(20) partySize!: number;
}

export class Reservation {
  @IsString() id!: string;
  @IsString() tableId!: string;
  @IsInt() partySize!: number;
}

export class TableRef {
  @IsString() tableId!: string;
}

export class TableStatus {
  @IsString() tableId!: string;
  @IsIn(['free', 'occupied']) status!: 'free' | 'occupied';
}

export class Question {
  @IsString() text!: string;
}

export class Answer {
  @IsBoolean() yes!: boolean;
}

export const restaurant = defineContract({
  client: {
    'table:reserve': { payload: Reserve, reply: Reservation },
    'table:release': { payload: TableRef },
  },
  server: {
    'table:status_changed': { payload: TableStatus },
    'cursor:moved': { payload: TableRef, delivery: 'volatile' },
    'host:ask': { payload: Question, reply: Answer },
  },
});

/** Everyone is in the room `floor`; a party of 13 is refused. */
@RealtimeGateway({ path: '/ws', contract: restaurant })
export class RestaurantGateway {
  handleConnection(connection: Connection): Promise<void> {
    return connection.join('floor');
  }

  @OnMessage(restaurant, 'table:reserve')
  reserve({ tableId, partySize }: Reserve): Reservation {
    if (partySize === 13) throw new RealtimeException('UNLUCKY', 'no party of this size');
    return { id: `r-${tableId}`, tableId, partySize };
  }

  @OnMessage(restaurant, 'table:release')
  release(_payload: TableRef, connection: Connection): void {
    connection.leave('nowhere');
  }
}
