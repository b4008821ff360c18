// A real WebSocket server that says on wire B whatever a test wants it to.
import { once } from 'node:events';
import { WebSocketServer } from 'ws';

export const EPOCH = '1761911999000001';

export class WireServer {
  /** serve(peer, n) is called for the n-th connection, from 1; see Peer. */
  static async start(serve) {
    const server = new WireServer();
    server.peers = [];
    server.wss = new WebSocketServer({ host: '127.0.0.1', port: 0, handleProtocols: () => 'trestle.v1' });
    server.wss.on('connection', (socket, request) => {
      const peer = new Peer(socket, request);
      server.peers.push(peer);
      serve(peer, server.peers.length);
    });
    await once(server.wss, 'listening');
    server.url = `http://127.0.0.1:${server.wss.address().port}/`;
    return server;
  }

  async stop() {
    for (const peer of this.peers) peer.socket.terminate();
    this.wss.close();
    await once(this.wss, 'close');
  }
}

class Peer {
  constructor(socket, request) {
    this.socket = socket;
    this.query = new URL(request.url, 'http://host').searchParams;
    this.protocols = (request.headers['sec-websocket-protocol'] ?? '').split(/, */);
    this.requests = [];
    socket.on('message', (data) => this.requests.push(JSON.parse(data)));
  }

  notice(type, members = {}) {
    this.socket.send(JSON.stringify({ success: true, data: { type, epoch: EPOCH, ...members } }));
  }

  event(offset, { type = 'command-progress', replay, ...members } = {}) {
    const meta = { topic: type, offset, time: 1_761_912_000_000_000, ...(replay ? { replay } : {}) };
    this.socket.send(JSON.stringify({ success: true, data: { type, n: offset, ...members }, meta }));
  }

  reply(success, data) {
    this.socket.send(JSON.stringify({ success, data }));
  }

  welcome(offset, members = {}) {
    this.notice('welcome', { offset, session: 's-1', heartbeat: 30_000, ...members });
  }

  live(offset, members = {}) {
    this.notice('live', { offset, ...members });
  }
}
