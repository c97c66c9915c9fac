// Connects to argv[2], says `ready` once it is in, and then does whatever its parent makes of it.
import { WebSocket } from 'ws';

const socket = new WebSocket(process.argv[2]);
socket.once('message', () => process.stdout.write('ready\n'));
socket.once('close', () => process.exit(0));
