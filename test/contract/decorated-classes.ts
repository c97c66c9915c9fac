import { Exclude, Expose, Transform, Type } from 'class-transformer';
import {
  Allow,
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsDate,
  IsDefined,
  IsEmail,
  IsIn,
  IsInstance,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
  registerDecorator,
  Validate,
  ValidateIf,
  ValidateNested,
  ValidatePromise,
  ValidatorConstraint,
} from 'class-validator';
import type { ValidationArguments, ValidatorConstraintInterface } from 'class-validator';

@ValidatorConstraint({ name: 'even' })
class Even implements ValidatorConstraintInterface {
  validate(value: unknown): boolean {
    return typeof value === 'number' && value % 2 === 0;
  }
}

@ValidatorConstraint({ name: 'known', async: true })
class Known implements ValidatorConstraintInterface {
  async validate(value: unknown): Promise<boolean> {
    await Promise.resolve();
    return value === 'known';
  }
}

/** A rule that is asynchronous without declaring it, and only for some values. */
function SometimesAsync() {
  return (object: object, propertyName: string) =>
    registerDecorator({
      name: 'sometimesAsync',
      target: object.constructor,
      propertyName,
      options: {},
      validator: {
        validate: (value: unknown) => (value === 'a' ? true : Promise.resolve(typeof value === 'string')),
      },
    });
}

/** Compares with a sibling property, through the validation arguments. */
function AtLeast(other: string) {
  return (object: object, propertyName: string) =>
    registerDecorator({
      name: 'atLeast',
      target: object.constructor,
      propertyName,
      constraints: [other],
      validator: {
        validate: (value: unknown, args?: ValidationArguments) =>
          (value as number) >= ((args!.object as Record<string, number>)[other] ?? 0),
      },
    });
}

export class Flat {
  @IsString() @MinLength(1) @MaxLength(20) name!: string;
  @IsInt() @Min(1) @Max(20) size!: number;
  @IsOptional() @IsEmail() email?: string;
  @IsIn(['free', 'taken']) status!: string;
  @IsBoolean() open: boolean = true;
  undecorated = 'made by the class';
  @Allow() anything?: unknown;
}

export class Address {
  @IsString() street!: string;
  @IsOptional() @IsInt() number?: number;
  @Type(() => Date) @IsOptional() @IsDate() since?: Date;
}

export class Nested {
  @ValidateNested() @Type(() => Address) home!: Address;
  @IsOptional() @ValidateNested() @Type(() => Address) work?: Address;
  @IsArray() @ArrayMaxSize(3) @ValidateNested({ each: true }) @Type(() => Address) others!: Address[];
  @IsDefined() @IsObject() free!: object;
  @IsOptional() @IsObject() @Type(() => Address) unchecked?: Address;
  @IsOptional() @ValidateNested() untyped?: object;
}

export class Tree {
  @IsString() label!: string;
  @IsOptional() @ValidateNested() @Type(() => Tree) children?: Tree[];
  @IsOptional() @ValidateNested() @Type(() => Tree) left?: Tree;
}

export class Collections {
  @IsString({ each: true }) words!: string[];
  @Type(() => Number) @IsNumber({}, { each: true }) numbers!: number[];
  @IsOptional() @Type(() => Address) @ValidateNested() set?: Set<Address>;
  @IsOptional() @Type(() => Address) @ValidateNested() map?: Map<string, Address>;
  @IsOptional() @Type(() => String) @IsString() text?: string;
  @IsOptional() @Type(() => Boolean) @IsBoolean() flag?: boolean;
}

export class Grouped {
  @IsString({ groups: ['create'] }) name!: string;
  @IsInt({ groups: ['update'] }) id!: number;
  @IsString({ always: true }) always!: string;
  @IsOptional({ groups: ['create', 'update'] }) @IsString() note?: string;
}

class Base {
  @IsString() kind!: string;
  @IsInt() @Min(0) amount!: number;
}
export class Derived extends Base {
  @Max(10) declare amount: number;
  @IsString() @MinLength(2) declare kind: string;
  @IsOptional() @IsString() extra?: string;
}

export class Conditional {
  @IsString() mode!: string;
  @ValidateIf((object: Conditional) => object.mode === 'full') @IsInt() count?: number;
  @ValidateIf((object: Conditional) => object.mode === 'full')
  @ValidateNested()
  @Type(() => Address)
  place?: Address;
  @IsString({ validateIf: (_object: unknown, value: unknown) => value !== 'x' && value !== 0 }) text?: string;
}

export class CustomRules {
  @Validate(Even) even!: number;
  @AtLeast('even') more!: number;
  @Validate(Even, { each: true }) evens!: number[];
  @IsDefined() there!: unknown;
}

export class AsyncRules {
  @Validate(Known) code!: string;
  @SometimesAsync() maybe!: string;
  @IsString() plain!: string;
  @IsOptional() @Validate(Known, { each: true }) codes?: string[];
}

export class Awaited {
  @IsString() name!: string;
  @ValidatePromise() @IsInt() later: Promise<number> | number = Promise.resolve(1);
}

class Shape {
  @IsOptional() @IsString() title?: string;
}
class Circle extends Shape {
  @IsInt() radius!: number;
}
class Square extends Shape {
  @IsInt() side!: number;
}
const subTypes = [
  { name: 'circle', value: Circle },
  { name: 'square', value: Square },
];
export class Drawing {
  @ValidateNested() @Type(() => Shape, { discriminator: { property: 'kind', subTypes } }) shape!: Shape;
  @IsOptional()
  @ValidateNested()
  @Type(() => Shape, { discriminator: { property: 'kind', subTypes } })
  shapes?: Shape[];
  @IsOptional()
  @IsInstance(Shape)
  @Type(() => Shape, { keepDiscriminatorProperty: true, discriminator: { property: 'kind', subTypes } })
  kept?: Shape;
}

export class Transformed {
  @Transform(({ value }) => (typeof value === 'string' ? value.trim() : (value as unknown)))
  @MinLength(2)
  name!: string;
  @Expose({ name: 'shown_name' }) @IsString() shown!: string;
  @Exclude() @IsOptional() @IsString() hidden?: string;
  @IsOptional() @ValidateNested() @Type(() => Address) home?: Address;
}

export class Exposed {
  @Expose({ name: 'shown_name' }) @IsString() shown!: string;
}

export class Excluded {
  @IsString() shown!: string;
  @Exclude() @IsOptional() @IsString() hidden?: string;
}

export class HoldsTransformed {
  @ValidateNested() @Type(() => Transformed) inner!: Transformed;
  @IsOptional() @ValidateNested() @Type(() => Transformed) list?: Transformed[];
}

export class WithMembers {
  @IsString() first!: string;
  @IsString() get shout(): string {
    return `${this.first}!`;
  }
  set nick(value: string) {
    this.first = value;
  }
}

export class NoRules {
  name?: string;
}
