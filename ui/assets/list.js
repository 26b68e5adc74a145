// A List shows rows in a table. Rows that stay are changed in place, by text only, so that focus and
// selection stay where they are, and no name is ever taken for markup.
//
// A column is {label, kind, text(row, snapshot)}, or {label, meter(row)} which returns
// {part, whole, name}; its metric, or that of a whole list, is what /metrics calls the same figure. An action is {label, may, call, params(row), name(row), ask(row), when(row)},
// or with href(row) a link.

function node(name, props = {}, ...children) {
  const n = document.createElement(name);
  for (const [key, value] of Object.entries(props)) {
    if (key === 'text') n.textContent = value;
    else n.setAttribute(key, value);
  }
  n.append(...children);
  return n;
}

const named = (metric) => (metric ? { title: metric } : {});

function setText(n, text) { if (n.textContent !== text) n.textContent = text; }

export class List {
  constructor(section, options) {
    this.options = options;
    this.name = section.id;
    this.actions = options.actions || [];
    this.rows = new Map();
    this.first = 0;
    const title = section.dataset.title;
    this.count = node('span', { class: 'count' });
    this.heading = node('h2', { id: this.name + '-title', tabindex: '-1', text: title });
    this.heading.append(this.count);
    if (options.metric) this.heading.setAttribute('title', options.metric);
    section.setAttribute('aria-labelledby', this.heading.id);
    this.none = node('p', { class: 'none', text: options.none });
    this.body = node('tbody');
    const head = node('tr');
    for (const c of options.columns) head.append(node('th', { scope: 'col', class: c.kind || '', text: c.label, ...named(c.metric) }));
    if (this.actions.length > 0) head.append(node('th', { scope: 'col' }, node('span', { class: 'sound', text: 'Actions' })));
    this.table = node('table', { 'aria-labelledby': this.heading.id }, node('thead', {}, head), this.body);
    this.note = node('p', { class: 'note' });
    this.previous = node('button', { type: 'button', text: 'Previous', 'aria-label': 'Previous rows of ' + title });
    this.next = node('button', { type: 'button', text: 'Next', 'aria-label': 'Next rows of ' + title });
    this.where = node('span');
    this.pager = node('div', { class: 'pager' }, this.previous, this.next, this.where);
    this.previous.addEventListener('click', () => options.turn(this, this.first - options.page));
    this.next.addEventListener('click', () => options.turn(this, this.first + options.page));
    section.append(this.heading, this.note, this.none, this.table, this.pager);
    this.table.hidden = this.pager.hidden = this.note.hidden = true;
  }

  // show makes the table show list, {total, first, rows}, of a snapshot.
  show(list, snapshot) {
    const { options } = this;
    setText(this.count, list.total > 0 ? list.total.toLocaleString('en') : '');
    this.none.hidden = list.total > 0;
    this.table.hidden = list.total === 0;
    const note = options.note ? options.note(snapshot) : '';
    setText(this.note, note);
    this.note.hidden = note === '';
    this.first = list.first;
    const focused = this.body.contains(document.activeElement) ? document.activeElement : null;
    const seen = new Set();
    let at = this.body.firstElementChild;
    for (const row of list.rows) {
      const key = options.key(row);
      if (seen.has(key)) continue;
      seen.add(key);
      let shown = this.rows.get(key);
      if (!shown) {
        shown = this.make();
        this.rows.set(key, shown);
      }
      this.fill(shown, row, snapshot);
      if (shown.tr === at) at = at.nextElementSibling;
      else this.body.insertBefore(shown.tr, at);
    }
    for (const [key, shown] of this.rows) {
      if (!seen.has(key)) {
        shown.tr.remove();
        this.rows.delete(key);
      }
    }
    this.turnPage(list);
    // A row that has moved has lost the focus; that of one that has gone goes to the title.
    if (focused && document.activeElement !== focused) (focused.isConnected ? focused : this.heading).focus({ preventScroll: true });
  }

  turnPage(list) {
    const last = list.first + list.rows.length;
    this.pager.hidden = list.total <= this.options.page;
    this.previous.disabled = list.first === 0;
    this.next.disabled = last >= list.total;
    setText(this.where, `${list.first + 1} to ${last} of ${list.total.toLocaleString('en')}`);
  }

  make() {
    const tr = node('tr');
    const cells = this.options.columns.map((c) => {
      const td = node('td', { class: c.kind || '', 'data-label': c.label, ...named(c.metric) });
      const cell = { td };
      if (c.meter) {
        cell.bar = node('progress');
        cell.text = node('span');
        td.append(cell.bar, cell.text);
      }
      tr.append(td);
      return cell;
    });
    const shown = { tr, cells, row: null, buttons: [] };
    if (this.actions.length > 0) {
      const td = node('td', { class: 'acts' });
      for (const a of this.actions) {
        const b = a.href ? node('a', { class: 'act', text: a.label, download: '' }) : node('button', { type: 'button', text: a.label });
        if (!a.href) b.addEventListener('click', () => this.options.act(a, shown.row, b));
        shown.buttons.push(b);
        td.append(b);
      }
      tr.append(td);
    }
    return shown;
  }

  fill(shown, row, snapshot) {
    shown.row = row;
    this.options.columns.forEach((c, i) => {
      const cell = shown.cells[i];
      if (!c.meter) {
        setText(cell.td, c.text(row, snapshot));
        return;
      }
      const { part, whole, name, text } = c.meter(row);
      setText(cell.text, text);
      cell.bar.hidden = !(whole > 0);
      if (whole > 0) {
        cell.bar.max = whole;
        cell.bar.value = Math.min(part, whole);
        if (cell.bar.getAttribute('aria-label') !== name) cell.bar.setAttribute('aria-label', name);
      }
    });
    this.actions.forEach((a, i) => {
      const b = shown.buttons[i];
      b.hidden = a.when ? !a.when(row) : false;
      const name = `${a.label}: ${a.name(row)}`;
      if (b.getAttribute('aria-label') !== name) b.setAttribute('aria-label', name);
      if (a.href) b.setAttribute('href', a.href(row));
    });
  }
}
