import { randomBytes } from 'node:crypto';
import { Global, Module } from '@nestjs/common';
import { openingEntry } from '../venue-file.js';
import { Book, BOOK_STORE, type BookStore } from './book.js';
import { MemoryBook } from './memory-book.js';
import { RedisBook } from './redis-book.js';

/** What tokens are signed with. */
export const SECRET = Symbol('secret');

/** What all servers of the house have to agree on: in Redis with `REDIS_URL`, in this process without. */
@Global()
@Module({
  providers: [
    Book,
    {
      provide: BOOK_STORE,
      useFactory: () => {
        const { REDIS_URL } = process.env;
        return REDIS_URL ? RedisBook.open(REDIS_URL, openingEntry) : new MemoryBook(openingEntry());
      },
    },
    {
      provide: SECRET,
      inject: [BOOK_STORE],
      useFactory: (book: BookStore) => {
        const given = process.env.JWT_SECRET;
        const secret = given ?? randomBytes(32).toString('base64url');
        return given === undefined && book instanceof RedisBook ? book.secret(secret) : secret;
      },
    },
  ],
  exports: [Book, SECRET],
})
export class BookModule {}
