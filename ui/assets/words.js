// How numbers and times are written. Everything is a function of its arguments.

const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

export function size(n) {
  if (n < 0) return 'unknown';
  let i = 0;
  while (n >= 1024 && i < units.length - 1) { n /= 1024; i++; }
  return (i === 0 || n >= 100 ? Math.round(n) : n.toFixed(1)) + '\u00a0' + units[i];
}

export function rate(n) { return size(Math.max(0, Math.round(n))) + '/s'; }

export function took(seconds) {
  if (seconds < 0) seconds = 0;
  if (seconds < 1) return Math.round(seconds * 1000) + '\u00a0ms';
  if (seconds < 120) return Math.round(seconds) + '\u00a0s';
  if (seconds < 7200) return Math.round(seconds / 60) + '\u00a0min';
  if (seconds < 172800) return Math.round(seconds / 3600) + '\u00a0h';
  return Math.round(seconds / 86400) + '\u00a0days';
}

// between is the time from one RFC 3339 text to another, both of the server, so that the clock of
// the browser does not matter.
export function between(from, to) { return from ? took((Date.parse(to) - Date.parse(from)) / 1000) : ''; }

export function clock(text) {
  if (!text) return '';
  const d = new Date(text);
  const time = d.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return Date.now() - d < 86400000 ? time : d.toLocaleDateString() + ' ' + time;
}

export function percent(part, whole) { return whole > 0 ? Math.min(100, Math.floor(part * 100 / whole)) + '\u00a0%' : ''; }

export function number(n) { return n.toLocaleString('en'); }
