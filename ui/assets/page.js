// The page: a stream of snapshots goes in, tables and pictures come out, and buttons make calls of
// the remote control. What the reader may do was decided when the page was sent, and is decided
// again by each call.
import { List } from './list.js';
import { between, clock, number, percent, rate, size, took } from './words.js';

const page = 100; // rows of a list at a time, as in the snapshots
const may = new Set(document.body.dataset.may.split(' ').filter(Boolean));
const $ = (id) => document.getElementById(id);
const setText = (n, text) => { if (n.textContent !== text) n.textContent = text; };

// at is the URL of something beside this page, without a password that may be in that of the page.
const at = (path) => new URL(path, location.origin + location.pathname).href;

// Actions.

function result(text, bad) {
  const n = $('result');
  n.className = bad ? 'bad' : '';
  n.textContent = text;
  clearTimeout(result.timer);
  result.timer = setTimeout(() => { n.textContent = ''; }, bad ? 15000 : 6000);
}

// decide ends the question that is open. The event of a dialog that closes comes later, maybe when the next one is
// open already.
let decide = () => {};

function confirmed(text) {
  const dialog = $('confirm');
  $('confirm-text').textContent = text;
  return new Promise((resolve) => {
    decide = resolve;
    dialog.showModal();
    $('confirm-no').focus();
  });
}
for (const [id, yes] of [['confirm-yes', true], ['confirm-no', false]]) {
  $(id).addEventListener('click', () => {
    $('confirm').close();
    decide(yes);
  });
}
$('confirm').addEventListener('cancel', () => decide(false));

async function act(action, row, button) {
  if (action.ask && !await confirmed(action.ask(row))) return;
  button.disabled = true;
  try {
    const answer = await fetch(at(action.call), {
      method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(action.params(row)),
    });
    if (!answer.ok) {
      const text = await answer.text();
      let error = text;
      try { error = JSON.parse(text).error; } catch { /* it is not of the remote control */ }
      throw new Error(error);
    }
    result(`${action.done}: ${action.name(row)}`, false);
  } catch (e) {
    result(`${action.label} failed: ${e.message}`, true);
  } finally {
    button.disabled = false;
  }
}

const inTree = (row, params) => (row.tree ? { fs: row.tree, ...params } : params);
const query = (row, params) => 'cache/content?' + new URLSearchParams(inTree(row, params));
const allowed = (actions) => actions.filter((a) => may.has(a.call));

const kick = {
  label: 'Kick', done: 'Kicked', call: 'ftp/kick', params: (s) => ({ id: s.id }),
  name: (s) => `session ${s.id} of ${s.user || 'nobody'}`,
  ask: (s) => `End session ${s.id} of ${s.user || 'nobody'}? An upload that runs is not published.`,
};

// Lists.

const paged = new Map(); // lists that show another part than the first

async function turn(list, first) {
  list.wanted = Math.max(first, 0);
  if (list.wanted === 0) {
    paged.delete(list.name);
    if (latest) show(latest);
    return;
  }
  paged.set(list.name, list);
  await fetchRows(list);
}

async function fetchRows(list) {
  if (list.busy) return;
  list.busy = true;
  try {
    const answer = await fetch(at('ui/rows?' + new URLSearchParams({ list: list.name, first: list.wanted })));
    if (answer.ok && paged.has(list.name)) {
      const rows = await answer.json();
      if (rows.first === 0) paged.delete(list.name);
      list.show(rows, latest);
    }
  } catch { /* the stream tells of it */ } finally {
    list.busy = false;
  }
}

function table(id, options) {
  return new List($(id), { page, act, turn, ...options, actions: allowed(options.actions || []) });
}

const path = { label: 'File', text: (r) => r.path || r.name };
const text = (label, key, kind) => ({ label, kind, text: (r) => String(r[key] ?? '') });

const lists = {
  transfers: table('transfers', {
    metric: 'ferry_transfers_running',
    none: 'No transfer is running.',
    key: (t) => t.id + '@' + t.began,
    columns: [
      text('User', 'user'), { label: 'Direction', kind: 'short', text: (t) => (({ RETR: 'down', STOR: 'up', APPE: 'up', STOU: 'up' })[t.command] || t.command) }, path,
      { label: 'Progress', meter: (t) => ({ part: t.bytes, whole: t.size, name: `Progress of ${t.path}`, text: t.size > 0 ? `${percent(t.bytes, t.size)} of ${size(t.size)}` : size(t.bytes) }) },
      { label: 'Rate', kind: 'number', text: (t) => rate(t.rate) },
      { label: 'Left', kind: 'number', text: (t) => (t.left ? took(t.left) : '') },
      { label: 'Since', kind: 'number', text: (t, s) => between(t.began, s.time) },
    ],
    actions: [kick],
  }),
  waiting: table('waiting', {
    metric: 'ferry_queue_files',
    none: 'Nothing waits: the remote has everything.',
    note: (s) => (s.queue.changes > 0 ? `${number(s.queue.changes)} changes of ${size(s.queue.bytes)}, ${number(s.queue.uploading)} on their way, ${number(s.queue.failing)} have failed before; the oldest is ${between(s.queue.oldest, s.time)} old.` : ''),
    key: (w) => w.tree + '\n' + w.id,
    columns: [
      { label: 'File', text: (w) => w.name },
      { label: 'What', kind: 'short', text: (w) => w.change + (w.uploading ? ', on its way' : '') },
      { label: 'Size', metric: 'ferry_queue_bytes', kind: 'number', text: (w) => (w.file ? size(w.size) : '') },
      { label: 'Age', metric: 'ferry_queue_oldest_seconds', kind: 'number', text: (w, s) => between(w.since, s.time) },
      { label: 'Tries', kind: 'number', text: (w) => (w.tries ? String(w.tries) : '') },
      { label: 'Next try', kind: 'number', text: (w, s) => (w.uploading ? '' : Date.parse(w.due) > Date.parse(s.time) ? 'in ' + between(s.time, w.due) : 'now') },
      { label: 'Last error', kind: 'error', text: (w) => w.error },
    ],
    actions: [
      { label: 'Send now', done: 'It is sent now', call: 'vfs/queue-set-expiry', params: (w) => inTree(w, { id: w.id, expiry: 0 }), name: (w) => w.name, when: (w) => !w.uploading },
      { label: 'Set aside', done: 'Set aside', call: 'vfs/queue-set-aside', params: (w) => inTree(w, { id: w.id }), name: (w) => w.name, when: (w) => w.file && !w.uploading,
        ask: (w) => `Do not send ${w.name}? Its content is kept among the refused files, until it is dropped there.` },
      { label: 'Export', call: 'cache/content', href: (w) => query(w, { waiting: w.id }), name: (w) => w.name, when: (w) => w.file },
    ],
  }),
  refused: table('refused', {
    metric: 'ferry_queue_refused_files',
    none: 'No file was refused.',
    key: (r) => r.tree + '\n' + r.id,
    columns: [
      { label: 'File', text: (r) => r.name }, { label: 'Size', kind: 'number', text: (r) => size(r.size) },
      { label: 'Age', kind: 'number', text: (r, s) => between(r.since, s.time) }, text('Reason', 'reason', 'error'),
    ],
    actions: [
      { label: 'Retry', done: 'It is tried again', call: 'cache/retry', params: (r) => inTree(r, { id: r.id }), name: (r) => r.name },
      { label: 'Drop', done: 'Dropped', call: 'cache/drop', params: (r) => inTree(r, { id: r.id }), name: (r) => r.name, ask: (r) => `Delete ${r.name}? Its content is lost.` },
      { label: 'Export', call: 'cache/content', href: (r) => query(r, { refused: r.id }), name: (r) => r.name },
    ],
  }),
  sessions: table('sessions', {
    metric: 'ferry_sessions',
    none: 'Nobody is connected.',
    key: (s) => String(s.id),
    columns: [
      { label: 'User', text: (s) => s.user || '(not logged in)' }, text('Address', 'address'), text('Client', 'client'),
      { label: 'TLS', kind: 'short', text: (s) => (s.tls ? 'yes' : 'no') },
      { label: 'Since', kind: 'number', text: (s, all) => between(s.since, all.time) },
      { label: 'Idle', kind: 'number', text: (s, all) => (s.command ? '' : between(s.active, all.time)) },
      { label: 'Last command', kind: 'short', text: (s) => s.last },
    ],
    actions: [kick],
  }),
  logins: table('logins', {
    metric: 'ferry_logins_total',
    none: 'Nobody has logged in yet.',
    key: (l) => l.time + l.address,
    columns: [
      { label: 'Time', kind: 'short', text: (l) => clock(l.time) }, text('User', 'user'), text('Address', 'address'),
      { label: 'Result', text: (l) => (l.ok ? 'let in' : l.cause || 'refused') },
    ],
  }),
  ended: table('ended', {
    metric: 'ferry_transfers_total',
    none: 'No transfer has ended yet.',
    key: (e) => e.time + e.path,
    columns: [
      { label: 'Time', kind: 'short', text: (e) => clock(e.time) }, text('User', 'user'), { label: 'Direction', kind: 'short', text: (e) => (e.upload ? 'up' : 'down') }, path,
      { label: 'Size', metric: 'ferry_transfer_size_bytes', kind: 'number', text: (e) => size(e.bytes) }, { label: 'Took', metric: 'ferry_transfer_duration_seconds', kind: 'number', text: (e) => took(e.took) },
      { label: 'Result', text: (e) => (e.ok ? 'complete' : e.cause || 'failed') },
    ],
  }),
  failed: table('failed', {
    none: 'No login has failed.',
    key: (f) => f.address,
    columns: [text('Address', 'address'), { label: 'Times', metric: 'ferry_logins_total', kind: 'number', text: (f) => number(f.times) }, { label: 'Last', kind: 'short', text: (f) => clock(f.last) }, text('User', 'user'), text('Cause', 'cause')],
  }),
  bans: table('bans', {
    metric: 'ferry_bans',
    none: 'No address is banned.',
    key: (b) => b.network,
    columns: [text('Address', 'network'), { label: 'Ends in', kind: 'number', text: (b, s) => between(s.time, b.until) }, { label: 'Times', kind: 'number', text: (b) => number(b.times) }, text('Reason', 'reason')],
    actions: [{ label: 'Unban', done: 'Unbanned', call: 'ftp/unban', params: (b) => ({ address: b.network }), name: (b) => b.network }],
  }),
  users: table('users', {
    none: 'There are no users of a file.',
    key: (u) => u.name,
    columns: [
      text('User', 'name'), { label: 'Sessions', kind: 'number', text: (u) => (u.sessions ? number(u.sessions) : '') },
      { label: 'Stored', metric: 'ferry_quota_used_bytes', meter: (u) => ({ part: u.bytes, whole: u.counted ? u.maxBytes : 0, name: `Quota of ${u.name}`, text: !u.counted ? 'not counted' : u.maxBytes ? `${size(u.bytes)} of ${size(u.maxBytes)}` : size(u.bytes) }) },
      { label: 'Files', kind: 'number', text: (u) => (!u.counted ? '' : number(u.files) + (u.maxFiles ? ' of ' + number(u.maxFiles) : '')) },
    ],
  }),
  remotes: table('remotes', {
    none: 'There is no remote.',
    key: (r) => r.tree,
    columns: [
      text('Remote', 'tree'), { label: 'State', metric: 'ferry_remote_up', text: (r, s) => (r.away ? `away for ${between(r.away, s.time)}: ${r.error}` : 'answers') },
      { label: 'Median', metric: 'ferry_remote_request_duration_seconds', kind: 'number', text: (r) => (r.median ? took(r.median) : '') }, { label: '99 %', metric: 'ferry_remote_request_duration_seconds', kind: 'number', text: (r) => (r.p99 ? took(r.p99) : '') },
      { label: 'Calls', metric: 'ferry_remote_requests_total', kind: 'number', text: (r) => number(r.calls) }, { label: 'Errors', metric: 'ferry_remote_requests_total', kind: 'number', text: (r) => number(r.errors) },
      { label: 'Up', metric: 'ferry_remote_bytes_total', kind: 'number', text: (r) => size(r.up) }, { label: 'Down', metric: 'ferry_remote_bytes_total', kind: 'number', text: (r) => size(r.down) },
    ],
  }),
  caches: table('caches', {
    none: 'There is no disk cache: uploads go straight to the remote.',
    key: (c) => c.tree + c.dir,
    columns: [
      text('Cache of', 'tree'),
      { label: 'Used', metric: 'ferry_cache_bytes', meter: (c) => ({ part: c.used, whole: c.limit, name: `Cache of ${c.tree}`, text: c.limit ? `${size(c.used)} of ${size(c.limit)}` : size(c.used) }) },
      { label: 'Waiting', metric: 'ferry_cache_bytes', kind: 'number', text: (c) => size(c.waiting) }, { label: 'Refused', kind: 'number', text: (c) => size(c.refused) },
      { label: 'Copies', metric: 'ferry_cache_bytes', kind: 'number', text: (c) => size(c.copies) }, { label: 'Disk free', kind: 'number', text: (c) => (c.free < 0 ? '' : size(c.free)) },
    ],
  }),
  hooks: table('hooks', {
    none: 'Nobody is told of what happens, or asked before.',
    key: (h) => h.name,
    columns: [
      text('Hook', 'name'), { label: 'Calls', text: (h) => h.target || '(not there any more)' },
      { label: 'Waiting', metric: 'ferry_hooks_waiting', kind: 'number', text: (h) => number(h.waiting) }, { label: 'Age', kind: 'number', text: (h, s) => (h.oldest ? between(h.oldest, s.time) : '') },
      { label: 'Given up', metric: 'ferry_hooks_total', kind: 'number', text: (h) => number(h.dead) }, { label: 'Told', metric: 'ferry_hooks_total', kind: 'number', text: (h) => number(h.delivered) },
      { label: 'Dropped', kind: 'number', text: (h) => number(h.dropped) },
      { label: 'Answered', metric: 'ferry_hooks_total', kind: 'number', text: (h) => (h.asked ? number(h.answered) : '') },
      { label: 'No answer', metric: 'ferry_hook_unanswered_total', text: (h) => (h.open + h.closed > 0 ? `${number(h.late)} late; taken as yes ${number(h.open)}, as no ${number(h.closed)}` : '') },
      text('Last error', 'error', 'error'),
    ],
  }),
};

// Snapshots.

let latest = null;

function show(s) {
  latest = s;
  showHealth(s);
  showTraffic(s.traffic);
  setText($('serves'), `${s.server.serves} at ${s.server.addresses.join(', ')}`);
  const node = s.server.node ? `, node ${s.server.node} of ${s.server.nodes}` : '';
  setText($('since'), `, running for ${between(s.server.since, s.time)}${node}`);
  for (const [name, list] of Object.entries(lists)) {
    if (paged.has(name)) fetchRows(list);
    else list.show(s[name], s);
  }
}

function showHealth(s) {
  const bad = s.trouble.filter((t) => t.bad).length;
  const n = $('sentence');
  const [kind, words] = bad > 0 ? ['bad', bad === 1 ? 'Something is wrong.' : `${bad} things are wrong.`]
    : s.trouble.length > 0 ? ['warn', 'All is well, but look at this.'] : ['good', 'All is well.'];
  n.className = kind;
  setText(n, words);
  const list = $('trouble');
  while (list.children.length > s.trouble.length) list.lastElementChild.remove();
  s.trouble.forEach((t, i) => {
    const li = list.children[i] || list.appendChild(document.createElement('li'));
    li.className = t.bad ? 'bad' : 'warn';
    setText(li, t.text + (t.since ? `, since ${clock(t.since)}` : ''));
  });
}

function showTraffic(t) {
  setText($('rate-in'), rate(t.in));
  setText($('rate-out'), rate(t.out));
  for (const [id, span] of [['hour', 'hour'], ['day', 'day']]) {
    const p = t[id];
    $(id).querySelector('.in').setAttribute('d', p.in);
    $(id).querySelector('.out').setAttribute('d', p.out);
    setText($(id + '-text'), `up to ${rate(p.top)}; on average in ${rate(p.meanIn)}, out ${rate(p.meanOut)}`);
    $(id).setAttribute('aria-label', `Throughput of the last ${span}: up to ${rate(p.top)}, on average in ${rate(p.meanIn)}, out ${rate(p.meanOut)}`);
  }
}

// The stream. It is closed while nobody sees the page. Where it does not come about, the snapshot is
// asked for instead.

let stream = null;
let poll = 0;
let failures = 0;

function state(words, bad) {
  const n = $('link');
  n.className = bad ? 'bad' : '';
  setText(n, words);
}

function open() {
  if (stream || document.hidden) return;
  stream = new EventSource(at('ui/events'));
  stream.onmessage = (e) => {
    failures = 0;
    stopPolling();
    state('live', false);
    show(JSON.parse(e.data));
  };
  stream.addEventListener('end', () => state('the server stops', true));
  stream.onerror = () => {
    state('not connected, trying again', true);
    failures++;
    if (stream && stream.readyState === EventSource.CLOSED) {
      close();
      setTimeout(open, 2000);
    }
    if (failures > 1) startPolling();
  };
}

function close() {
  if (stream) stream.close();
  stream = null;
}

async function ask() {
  try {
    const answer = await fetch(at('ui/snapshot'));
    if (answer.ok) {
      show(await answer.json());
      state('live, every two seconds', false);
    }
  } catch { /* it is asked again */ }
}

function startPolling() { if (!poll && !document.hidden) poll = setInterval(ask, 2000); }

function stopPolling() {
  clearInterval(poll);
  poll = 0;
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) {
    close();
    stopPolling();
    state('paused', false);
  } else {
    open();
  }
});
open();
