import { Body, Controller, Get, Param, Patch, Post, UseGuards } from '@nestjs/common';
import { CreateReservation, type Reservation, ReservationChange } from '../contract.js';
import { SeatingService } from '../seating/seating.service.js';
import { Caller, CallerGuard } from '../sign-in/caller.guard.js';
import { ReservationsService } from './reservations.service.js';

@Controller('reservations')
@UseGuards(CallerGuard)
export class ReservationsController {
  constructor(
    private readonly reservations: ReservationsService,
    private readonly seating: SeatingService,
  ) {}

  @Get()
  all(): Promise<Reservation[]> {
    return this.reservations.all();
  }

  @Post()
  create(@Body() request: CreateReservation, @Caller() callerId: string): Promise<Reservation> {
    return this.seating.reserve(request, callerId);
  }

  @Patch(':id')
  change(@Param('id') id: string, @Body() change: ReservationChange): Promise<Reservation> {
    return this.seating.changeReservation(id, change);
  }
}
