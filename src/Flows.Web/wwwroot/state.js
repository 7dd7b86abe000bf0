// What is shown lives in the page's address, so that a view can be linked, reloaded and left with the back button.

const defaults = {
  tab: 'map', level: 'workload', since: '', until: '', state: '', q: '', select: '',
  part: 'segments', plevel: 'workload', target: 'kubernetes', cluster: '', sort: 'readiness', pstate: '', reason: '', offset: '', policy: '', draft: '',
};

export function read() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, given.get(name) ?? value]));
}

/** Changes some of it; a new entry of the history unless the change is too small to go back to. */
export function write(changes, small = false) {
  const next = { ...read(), ...changes };
  const hash = new URLSearchParams(Object.entries(next).filter(([name, value]) => value !== defaults[name])).toString();
  const address = hash ? `#${hash}` : location.pathname;
  if (small) {
    history.replaceState(null, '', address);
  } else {
    history.pushState(null, '', address);
  }
}
