import type { Connection, ParamsOf, PathParams } from 'nestjs-realtime';
import { describe, expectTypeOf, it } from 'vitest';

describe('ParamsOf', () => {
  it('names the params of a path', () => {
    expectTypeOf<ParamsOf<'/venues/:venueId'>>().toEqualTypeOf<{ readonly venueId: string }>();
    expectTypeOf<ParamsOf<'/venues/:venueId/tables/:table_1'>>().toEqualTypeOf<{
      readonly venueId: string;
      readonly table_1: string;
    }>();
    expectTypeOf<ParamsOf<'/:from-:to.:ext'>>().toEqualTypeOf<{
      readonly from: string;
      readonly to: string;
      readonly ext: string;
    }>();
    expectTypeOf<ParamsOf<'/:"venue id"/ws'>>().toEqualTypeOf<{ readonly 'venue id': string }>();
  });

  it('types a wildcard as one string', () => {
    expectTypeOf<ParamsOf<'/files/*path'>>().toEqualTypeOf<{ readonly path: string }>();
  });

  it('types params in braces as optional', () => {
    expectTypeOf<ParamsOf<'/venues{/:venueId}'>>().toEqualTypeOf<{ readonly venueId?: string }>();
    expectTypeOf<ParamsOf<'/:a{/:b{/*c}}/:d'>>().toEqualTypeOf<{
      readonly a: string;
      readonly d: string;
      readonly b?: string;
      readonly c?: string;
    }>();
  });

  it('is empty for a path without params, also one with an escaped colon', () => {
    expectTypeOf<ParamsOf<'/ws'>>().toEqualTypeOf<{}>();
    expectTypeOf<ParamsOf<'/venues\\:open'>>().toEqualTypeOf<{}>();
  });

  it('allows any params for an unknown path', () => {
    expectTypeOf<ParamsOf<string>>().toEqualTypeOf<PathParams>();
  });

  it('types the params of a connection', () => {
    type Venue = Connection<object, object, ParamsOf<'/venues/:venueId{/:table}'>>;
    expectTypeOf<Venue['params']['venueId']>().toEqualTypeOf<string>();
    expectTypeOf<Venue['params']['table']>().toEqualTypeOf<string | undefined>();
  });
});
