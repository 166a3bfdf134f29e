import { Global, Module } from '@nestjs/common';
import { ConnectionTracker } from './connection-tracker.js';
import { RouteTable } from './route-table.js';

/** The connections and routes of the server. */
@Global()
@Module({ providers: [ConnectionTracker, RouteTable], exports: [ConnectionTracker, RouteTable] })
export class HttpModule {}
