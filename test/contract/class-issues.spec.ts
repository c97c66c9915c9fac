import { IsInt, IsString } from 'class-validator';
import { describe, expect, it } from 'vitest';
import { ClassPayload } from '../../lib/contract/class/class-payload.js';

const strip = (target: new () => object) => new ClassPayload(target, [], 'strip');

describe('the issues of a class payload', () => {
  it('runs each rule once, for a refused payload too', async () => {
    let calls = 0;
    class Counted {
      @IsString() text!: string;
      @IsInt({ validateIf: () => ++calls > 0 }) number!: number;
    }
    expect((await strip(Counted).validate({ text: 1, number: 'x' })).issues).toHaveLength(2);
    expect(calls).toBe(1);
  });

  it('reports the current message of a rule whose message changes between calls', async () => {
    let language = 'en';
    class Translated {
      @IsInt({ message: () => (language === 'en' ? '$property: a number' : '$property: eine Zahl') })
      n!: number;
    }
    const payload = strip(Translated);
    expect(await payload.validate({ n: 'x' })).toEqual({ issues: [{ path: 'n', message: 'n: a number' }] });
    language = 'de';
    expect(await payload.validate({ n: 'x' })).toEqual({ issues: [{ path: 'n', message: 'n: eine Zahl' }] });
  });
});
