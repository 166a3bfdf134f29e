import 'reflect-metadata';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import {
  type CallHandler,
  Controller,
  Delete,
  type ExecutionContext,
  Get,
  Header,
  Injectable,
  Module,
  type NestInterceptor,
  Param,
  Query,
  ValidationPipe,
} from '@nestjs/common';
import { APP_GUARD, APP_INTERCEPTOR, NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { ThrottlerGuard, ThrottlerModule } from '@nestjs/throttler';
import axios from 'axios';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsPositive, Length } from 'class-validator';
import { Logger, LoggerModule } from 'nestjs-pino';
import { collectDefaultMetrics, Counter, Histogram, register } from 'prom-client';
import { finalize, type Observable } from 'rxjs';
import sdk from 'tencentcloud-sdk-nodejs-common/tencentcloud/common/sign.js';
import { scriptOptions } from '../script.js';
import type { SandboxAddress } from './sandbox.js';

/*
 * The gateway as a NestJS developer writes it in an afternoon, with each package as its documentation proposes: the
 * default adapter (Express), @nestjs/throttler, class-validator, nestjs-pino, prom-client, axios with an agent that keeps
 * connections, and the signer of the SDK. No retries, no fairness, no shared quota, no keys.
 */
interface Options extends SandboxAddress {
  readonly callsPerSecond: number;
}

const { httpsUrl, ca, secretId, secretKey, callsPerSecond } = scriptOptions() as Options;
/** The signer of the SDK signs no port. */
const HOST = 'trtc.intl.tencentcloudapi.com';
const upstream = axios.create({
  baseURL: httpsUrl,
  httpsAgent: new https.Agent({ keepAlive: true, ca }),
  timeout: 3000,
});

class StopParams {
  @Length(1, 256)
  readonly id!: string;
}

class StopQuery {
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @IsPositive()
  readonly sdkAppId: number = 1400000001;

  @IsOptional()
  @IsIn(['ap-bangkok', 'ap-jakarta', 'ap-mumbai', 'ap-singapore'])
  readonly region: string = 'ap-singapore';
}

interface ApiResponse {
  readonly Response: {
    readonly RequestId: string;
    readonly Error?: { readonly Code: string; readonly Message: string };
  };
}

@Injectable()
class TasksService {
  async stop(taskId: string, { sdkAppId, region }: StopQuery) {
    const payload = { SdkAppId: sdkAppId, TaskId: taskId };
    const timestamp = Math.floor(Date.now() / 1000);
    const headers = { 'Content-Type': 'application/json', Host: HOST };
    const authorization = sdk.default.sign3({
      method: 'POST',
      url: `https://${HOST}/`,
      payload,
      timestamp,
      service: 'trtc',
      secretId,
      secretKey,
      multipart: false,
      boundary: '',
      headers,
    });
    const { data } = await upstream.post<ApiResponse>('/', payload, {
      headers: {
        ...headers,
        Authorization: authorization,
        'X-TC-Action': 'StopStreamIngest',
        'X-TC-Version': '2019-07-22',
        'X-TC-Region': region,
        'X-TC-Timestamp': timestamp,
      },
    });
    const { RequestId: requestId, Error: error } = data.Response;
    if (error) throw new Error(error.Code);
    return { taskId, sdkAppId, region, status: 'stopped', requestId };
  }
}

@Controller()
class TasksController {
  constructor(private readonly tasks: TasksService) {}

  @Delete('ingest-tasks/:id')
  stop(@Param() { id }: StopParams, @Query() query: StopQuery) {
    return this.tasks.stop(id, query);
  }

  @Get('metrics')
  @Header('Content-Type', register.contentType)
  metrics(): Promise<string> {
    return register.metrics();
  }
}

const requests = new Counter({ name: 'stops_total', help: 'Stops.', labelNames: ['status'] });
const durations = new Histogram({
  name: 'http_request_duration_seconds',
  help: 'Duration of requests.',
  labelNames: ['method', 'route', 'status'],
});
collectDefaultMetrics();

@Injectable()
class MetricsInterceptor implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const endTimer = durations.startTimer();
    const { method, route } = context
      .switchToHttp()
      .getRequest<{ method: string; route: { path: string } }>();
    const response = context.switchToHttp().getResponse<{ statusCode: number }>();
    return next.handle().pipe(
      finalize(() => {
        const status = String(response.statusCode);
        endTimer({ method, route: route.path, status });
        requests.inc({ status });
      }),
    );
  }
}

@Module({
  imports: [LoggerModule.forRoot(), ThrottlerModule.forRoot([{ ttl: 1000, limit: callsPerSecond }])],
  controllers: [TasksController],
  providers: [
    TasksService,
    { provide: APP_GUARD, useClass: ThrottlerGuard },
    { provide: APP_INTERCEPTOR, useClass: MetricsInterceptor },
  ],
})
class NaiveModule {}

const app = await NestFactory.create<NestExpressApplication>(NaiveModule, { bufferLogs: true });
app.useLogger(app.get(Logger));
app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }));
await app.listen(0, '127.0.0.1');
const server = app.getHttpServer();
// A stall of a busy machine must not end a connection.
server.keepAliveTimeout = 60_000;
process.send!((server.address() as AddressInfo).port);
