// An app to test against, and clients that queue every frame
export { backplaneContract } from './backplane-contract.js';
export { createRealtimeTestApp, RealtimeTestApp } from './test-app.js';
export { TestClient, TestReplyError } from './test-client.js';

// Types
export type { BackplaneCase, BackplaneContractOptions, BackplaneGround } from './backplane-contract.js';
export type { RealtimeTestAppOptions } from './test-app.js';
export type { ReceivedFrame, TestClientOptions, TestSocket } from './test-client.js';
