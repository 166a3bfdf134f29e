import 'reflect-metadata';
import { Controller, Get, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

/** The smallest application of Nest on Fastify. */
@Controller()
class HelloController {
  @Get('readyz')
  ready(): { status: string } {
    return { status: 'ok' };
  }
}

@Module({ controllers: [HelloController] })
class HelloModule {}

const app = await NestFactory.create<NestFastifyApplication>(HelloModule, new FastifyAdapter(), {
  logger: ['warn', 'error', 'fatal'],
});
await app.listen(Number(process.env['PORT']), '127.0.0.1');
