/** Asks the server; a fault becomes an Error with the server's own sentence. */
export async function ask(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  let answer;
  try {
    answer = await fetch(`api/v1/${path}?${query}`, { headers: { accept: 'application/json' } });
  } catch {
    throw new Error('The server does not answer; is flows serve still running?');
  }
  const body = await answer.json().catch(() => null);
  if (!answer.ok) {
    throw new Error(body?.detail ?? `The server answered ${answer.status}.`);
  }
  return body;
}
