// npm run attack -- --seconds 60 --seed 1, from outside; with --inside from Redis and from the app's own handlers.
import 'reflect-metadata';

await import(process.argv.includes('--inside') ? './inside/main.ts' : './outside.ts');
