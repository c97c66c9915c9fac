// An app to test against, and clients that miss nothing
export { createRealtimeTestApp, RealtimeTestApp } from './test-app.js';
export { TestClient, TestReplyError } from './test-client.js';

// Types
export type { RealtimeTestAppOptions } from './test-app.js';
export type { ReceivedFrame, TestClientOptions, TestSocket } from './test-client.js';
