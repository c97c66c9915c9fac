import {
  Catch,
  HttpException,
  createParamDecorator,
  type ArgumentsHost,
  type CallHandler,
  type CanActivate,
  type ExceptionFilter,
  type ExecutionContext,
  type NestInterceptor,
  type PipeTransform,
} from '@nestjs/common';
import { WsException } from '@nestjs/websockets';
import { IsString } from 'class-validator';
import { Observable, map, of } from 'rxjs';
import {
  Connection,
  OnMessage,
  Payload,
  RealtimeException,
  RealtimeGateway,
  defineContract,
} from 'nestjs-realtime';

export class Text {
  @IsString() text!: string;
}
export const echo = defineContract({
  client: {
    say: { payload: Text, reply: Text },
    stream: { payload: Text, reply: Text },
  },
});

export const calls: string[] = [];

export const guard = (name: string): CanActivate => ({
  canActivate(context: ExecutionContext) {
    const ws = context.switchToWs();
    const isConnection = ws.getClient() instanceof Connection;
    calls.push(`${name} ${context.getType()} ${isConnection} ${ws.getPattern()} ${ws.getData<Text>().text}`);
    return ws.getData<Text>().text !== `no ${name}`;
  },
});
export const interceptor = (name: string): NestInterceptor => ({
  intercept: (_context: ExecutionContext, next: CallHandler) =>
    next.handle().pipe(map(({ text }: Text) => ({ text: `${name}(${text})` }))),
});
export const pipe = (name: string): PipeTransform => ({
  transform: (value: unknown) =>
    value instanceof Text ? Object.assign(new Text(), { text: `${value.text} ${name}` }) : value,
});

export class Teapot extends Error {}
export class Kettle extends Error {}
export const filter = (name: string, what: new () => Error): ExceptionFilter => {
  @Catch(what)
  class NamedFilter implements ExceptionFilter {
    catch(_error: Error, host: ArgumentsHost): void {
      calls.push(`${name} ${host.getType()}`);
      throw new RealtimeException('BREWING', `filtered by ${name}`);
    }
  }
  return new NamedFilter();
};

const Shout = createParamDecorator((suffix: string, context: ExecutionContext) => {
  return context.switchToWs().getData<Text>().text.toUpperCase() + suffix;
});

export function speak(text: string): Text {
  if (text.startsWith('teapot')) throw new Teapot('s3cret');
  if (text.startsWith('kettle')) throw new Kettle('s3cret');
  if (text.startsWith('http')) throw new HttpException('gone', 404);
  if (text.startsWith('ws')) throw new WsException('as you wish');
  return { text };
}

@RealtimeGateway({ path: '/ws', contract: echo })
export class EchoGateway {
  @OnMessage(echo, 'say')
  say({ text }: Text): Text {
    return speak(text);
  }

  @OnMessage(echo, 'stream')
  stream(@Payload() _payload: Text, @Shout('!') shouted: string): Observable<Text> {
    return of({ text: shouted }, { text: 'end' });
  }
}
