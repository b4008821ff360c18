// Gives Node the global WebSocket that browsers have, on npm's ws. For: node --require ./global-websocket.cjs
globalThis.WebSocket = require('ws');
