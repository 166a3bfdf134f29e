import { Global, Module } from '@nestjs/common';
import { ConnectionTracker } from './connection-tracker.js';
import { RouteTable } from './route-table.js';

/** What the server knows of its connections and routes. */
@Global()
@Module({ providers: [ConnectionTracker, RouteTable], exports: [ConnectionTracker, RouteTable] })
export class HttpModule {}
