// Connects to argv[2] and prints `ready` when it is open; the parent then stops and resumes the process.
import { WebSocket } from 'ws';

const socket = new WebSocket(process.argv[2]);
socket.once('message', () => process.stdout.write('ready\n'));
socket.once('close', () => process.exit(0));
