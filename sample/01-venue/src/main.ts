import 'reflect-metadata';
import { fileURLToPath } from 'node:url';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { VenueModule } from './venue.module.js';

const app = await NestFactory.create<NestExpressApplication>(VenueModule, { logger: ['warn', 'error'] });
app.useStaticAssets(fileURLToPath(new URL('./public', import.meta.url)));
app.enableShutdownHooks();

await app.listen(process.env.PORT ?? 3000);
console.log(`Venue is open: ${(await app.getUrl()).replace(/\[::1?\]|127\.0\.0\.1/, 'localhost')}`);
