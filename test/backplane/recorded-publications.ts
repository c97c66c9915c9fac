/** What version 0.1.0 published, byte for byte, with what a later version has to read in it. Never edited: only added to. */
export const RECORDED_0_1_0: readonly { readonly text: string; readonly publication: object }[] = [
  {
    text: 'hT3x_Qz81-A 1\nu table:status_changed ada\n{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
    publication: {
      kind: 'message',
      to: { kind: 'user', key: 'ada' },
      type: 'table:status_changed',
      text: '{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
      except: [],
      delivery: 'live',
    },
  },
  {
    text: 'hT3x_Qz81-A 2\nA table:status_changed \n{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
    publication: {
      kind: 'message',
      to: { kind: 'all', key: '' },
      type: 'table:status_changed',
      text: '{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
      except: [],
      delivery: 'volatile',
    },
  },
  {
    text: 'hT3x_Qz81-A 3\nc x a.b\n{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
    publication: {
      kind: 'message',
      to: { kind: 'connection', key: 'a.b' },
      type: 'x',
      text: '{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
      except: [],
      delivery: 'live',
    },
  },
  {
    text: 'hT3x_Qz81-A 4\ns x s1\n{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
    publication: {
      kind: 'message',
      to: { kind: 'session', key: 's1' },
      type: 'x',
      text: '{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
      except: [],
      delivery: 'live',
    },
  },
  {
    text: 'hT3x_Qz81-A 5\n{"kind":"message","to":{"kind":"room","key":"two words🍽"},"type":"x y","except":["c","s"],"delivery":"volatile","sendId":"hT3x_Qz81-A.2","replyTo":{"node":"hT3x_Qz81-A","id":"1z"}}\n{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
    publication: {
      kind: 'message',
      to: { kind: 'room', key: 'two words🍽' },
      type: 'x y',
      text: '{"type":"table:status_changed","payload":{"tableId":"t1","status":"free"}}',
      except: ['c', 's'],
      delivery: 'volatile',
      sendId: 'hT3x_Qz81-A.2',
      replyTo: { node: 'hT3x_Qz81-A', id: '1z' },
    },
  },
  {
    text: 'hT3x_Qz81-A 6\n{"kind":"disconnect","to":{"kind":"user","key":"ada"},"code":4500,"reason":"disconnected by the server","replyTo":{"node":"hT3x_Qz81-A","id":"1z"}}\n',
    publication: {
      kind: 'disconnect',
      to: { kind: 'user', key: 'ada' },
      code: 4500,
      reason: 'disconnected by the server',
      replyTo: { node: 'hT3x_Qz81-A', id: '1z' },
    },
  },
  {
    text: 'hT3x_Qz81-A 7\n{"kind":"join","to":{"kind":"user","key":"ada"},"room":"floor","replyTo":{"node":"hT3x_Qz81-A","id":"1z"}}\n',
    publication: {
      kind: 'join',
      to: { kind: 'user', key: 'ada' },
      room: 'floor',
      replyTo: { node: 'hT3x_Qz81-A', id: '1z' },
    },
  },
  {
    text: 'hT3x_Qz81-A 8\n{"kind":"leave","to":{"kind":"user","key":"ada"},"room":"floor","replyTo":{"node":"hT3x_Qz81-A","id":"1z"}}\n',
    publication: {
      kind: 'leave',
      to: { kind: 'user', key: 'ada' },
      room: 'floor',
      replyTo: { node: 'hT3x_Qz81-A', id: '1z' },
    },
  },
  {
    text: 'hT3x_Qz81-A 9\n{"kind":"request","to":{"kind":"user","key":"ada"},"type":"ask","payload":{"text":"more?","deep":[1,null]},"timeoutMs":10000,"replyTo":{"node":"hT3x_Qz81-A","id":"1z"}}\n',
    publication: {
      kind: 'request',
      to: { kind: 'user', key: 'ada' },
      type: 'ask',
      payload: { text: 'more?', deep: [1, null] },
      timeoutMs: 10000,
      replyTo: { node: 'hT3x_Qz81-A', id: '1z' },
    },
  },
  {
    text: 'hT3x_Qz81-A 10\n{"kind":"request","to":{"kind":"user","key":"ada"},"type":"ask","payload":null,"timeoutMs":10000,"replyTo":{"node":"hT3x_Qz81-A","id":"1z"}}\n',
    publication: {
      kind: 'request',
      to: { kind: 'user', key: 'ada' },
      type: 'ask',
      payload: null,
      timeoutMs: 10000,
      replyTo: { node: 'hT3x_Qz81-A', id: '1z' },
    },
  },
  {
    text: 'hT3x_Qz81-A 11\n{"kind":"reply","id":"1z","node":"k0Wb2e_7LxE","delivered":2,"dropped":1}\n',
    publication: { kind: 'reply', id: '1z', node: 'k0Wb2e_7LxE', delivered: 2, dropped: 1 },
  },
  {
    text: 'hT3x_Qz81-A 12\n{"kind":"reply","id":"1z","node":"k0Wb2e_7LxE","delivered":1,"dropped":0,"answer":{"ok":true,"payload":{"yes":true}}}\n',
    publication: {
      kind: 'reply',
      id: '1z',
      node: 'k0Wb2e_7LxE',
      delivered: 1,
      dropped: 0,
      answer: { ok: true, payload: { yes: true } },
    },
  },
  {
    text: 'hT3x_Qz81-A 13\n{"kind":"reply","id":"1z","node":"k0Wb2e_7LxE","delivered":1,"dropped":0,"answer":{"ok":true}}\n',
    publication: {
      kind: 'reply',
      id: '1z',
      node: 'k0Wb2e_7LxE',
      delivered: 1,
      dropped: 0,
      answer: { ok: true },
    },
  },
  {
    text: 'hT3x_Qz81-A 14\n{"kind":"reply","id":"1z","node":"k0Wb2e_7LxE","delivered":0,"dropped":0,"answer":{"ok":false,"code":"UNAVAILABLE","message":"No connection can reply."}}\n',
    publication: {
      kind: 'reply',
      id: '1z',
      node: 'k0Wb2e_7LxE',
      delivered: 0,
      dropped: 0,
      answer: { ok: false, code: 'UNAVAILABLE', message: 'No connection can reply.' },
    },
  },
];
