import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { Controller, Delete, Module, Param } from '@nestjs/common';
import { APP_GUARD, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';

/** As in Nest's documentation: the default adapter, and @nestjs/throttler with its store in memory. */
@Controller('ingest-tasks')
class TasksController {
  @Delete(':id')
  stop(@Param('id') id: string): { taskId: string } {
    return { taskId: id };
  }
}

@Module({
  imports: [ThrottlerModule.forRoot([{ ttl: 1000, limit: 20 }])],
  controllers: [TasksController],
  providers: [{ provide: APP_GUARD, useClass: ThrottlerGuard }],
})
class ThrottledModule {}

const app = await NestFactory.create<NestExpressApplication>(ThrottledModule, { logger: false });
await app.listen(0, '127.0.0.1');
process.send!((app.getHttpServer().address() as AddressInfo).port);
