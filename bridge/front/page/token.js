/** The access token: out of the address bar, into this tab's session storage. */

const KEY = 'trestle.token';

/** The token of `?token=` (which is taken out of the address), else the one kept earlier, else empty. */
export function takeToken() {
  const address = new URL(location.href);
  if (!address.searchParams.has('token')) return kept();
  const token = address.searchParams.get('token');
  address.searchParams.delete('token');
  history.replaceState(history.state, '', address);
  keepToken(token);
  return token;
}

/** Empty to forget. Where storage is switched off the token lives as long as the page. */
export function keepToken(token) {
  try {
    if (token === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
  } catch {
    // Storage is blocked: nothing is lost but the convenience of a reload.
  }
}

function kept() {
  try {
    return sessionStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}
