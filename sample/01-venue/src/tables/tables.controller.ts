import { Body, Controller, Get, Param, Patch, UseGuards } from '@nestjs/common';
import { IsIn } from 'class-validator';
import { type Table, type TableStatus, tableStatuses } from '../contract.js';
import { SeatingService } from '../seating/seating.service.js';
import { CallerGuard } from '../sign-in/caller.guard.js';
import { TablesService } from './tables.service.js';

class ChangeTable {
  @IsIn(tableStatuses) status!: TableStatus;
}

@Controller('tables')
@UseGuards(CallerGuard)
export class TablesController {
  constructor(
    private readonly tables: TablesService,
    private readonly seating: SeatingService,
  ) {}

  @Get()
  all(): Promise<Table[]> {
    return this.tables.all();
  }

  @Patch(':id')
  change(@Param('id') tableId: string, @Body() { status }: ChangeTable): Promise<Table> {
    return this.seating.setTableStatus(tableId, status);
  }
}
